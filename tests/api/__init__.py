"""The API, spoken over TLS to a real master."""
