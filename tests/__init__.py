"""The tests; they read as specifications."""
