"""Measurements: programs that print numbers, and assert nothing."""
