"""Real media: one clip for each trap, made here, and what becomes of it."""
