"""The pages for people. `page.py` has what they share; each other module has the routes of one of them."""

from __future__ import annotations

from master.api.dashboard import account, job, listing, overview
from master.api.dashboard.page import blueprint, refusal

__all__ = ["account", "blueprint", "job", "listing", "overview", "refusal"]
