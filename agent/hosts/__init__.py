"""Processes in the sandbox that have loaded what reads media: a fork of one does each request."""
