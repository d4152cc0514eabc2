"""Processes in the sandbox that have loaded what reads media, and have a fork of themselves do each request."""
