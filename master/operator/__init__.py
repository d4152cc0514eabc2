"""The `ffrtmp` command for people; it talks HTTP, but for what is done to files."""
