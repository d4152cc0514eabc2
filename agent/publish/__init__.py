"""Where outputs go once they are whole and verified."""
