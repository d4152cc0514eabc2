"""Webhooks: what receivers are told, how it is signed and sent, and how far each has got."""
