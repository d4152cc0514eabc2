"""Proves that a file that was encoded in chunks is the file that was asked for."""
