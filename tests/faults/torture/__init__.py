"""A master is killed again and again under load, and what it acknowledged is compared with what it knows."""
