"""Records and history move from one store to another, and back."""
