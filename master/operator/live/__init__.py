"""What `ffrtmp` shows of a farm while it moves: bars, changes, and the whole of it on one screen."""
