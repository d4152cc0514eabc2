"""Webhooks: what is sent to receivers, when, and where never."""
