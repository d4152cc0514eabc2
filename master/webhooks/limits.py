"""How many webhooks there may be."""

from __future__ import annotations

MOST_WEBHOOKS = 50
"""Each may have a thread at work."""
