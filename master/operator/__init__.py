"""The `ffrtmp` command for people; it talks HTTP only."""
