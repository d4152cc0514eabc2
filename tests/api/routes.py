"""The routes of the application, as Flask has them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from master.app import create_app

_UNUSED: Any = None


@cache
def routes() -> dict[str, tuple[str, str]]:
    """Method and path of each endpoint, with `{id}` for what is filled in."""
    # No request is made, so neither a farm nor a gate is needed.
    rules = create_app(_UNUSED, _UNUSED, _UNUSED).url_map.iter_rules()
    return {
        rule.endpoint: (
            next(iter((rule.methods or set()) - {"HEAD", "OPTIONS"})),
            re.sub(r"<\w+_id>", "{id}", rule.rule).replace("<", "{").replace(">", "}"),
        )
        for rule in rules
    }


def is_page(endpoint: str) -> bool:
    """Whether it answers people with pages: those are in docs/dashboard.md, not in the API's description."""
    return endpoint.startswith("dashboard.")


@cache
def api_routes() -> dict[str, tuple[str, str]]:
    """Those that read and change the farm: not its pages, nor its description."""
    return {
        name: route for name, route in routes().items() if not is_page(name) and not name.startswith("docs.")
    }
