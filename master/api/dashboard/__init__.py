"""The pages for people. `page.py` has what they share; each other module has the routes of one of them."""

from __future__ import annotations

from master.api.dashboard import account, compare, job, listing, node, overview
from master.api.dashboard.page import blueprint, compile_pages, refusal

__all__ = [
    "account",
    "blueprint",
    "compare",
    "compile_pages",
    "job",
    "listing",
    "node",
    "overview",
    "refusal",
]
