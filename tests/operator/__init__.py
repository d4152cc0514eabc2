"""The operator's command against a real master."""
