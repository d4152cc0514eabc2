"""State that survives: records, indexes, journal, snapshot."""
