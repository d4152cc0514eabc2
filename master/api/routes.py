"""Which requests take long to answer; asked by the worker before it lets one be answered."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from master.api.described import description_of

MATCHED = "master.matched"
"""In the WSGI environment: the route and its arguments, so that they need not be found again."""


def path_of(environ: dict[str, Any]) -> str:
    """The path of a request. WSGI has its bytes, each as a character (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode(errors="replace")


class Routes:
    """The routes of an application."""

    def __init__(self, app: Flask) -> None:
        """All its routes are there already."""
        self._adapter = app.url_map.bind("localhost")
        self._slow = {each for each, view in app.view_functions.items() if _is_slow(view)}
        self._fixed = {
            (method, rule.rule): rule
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
            if not rule.arguments
        }
        """Those whose addresses are always the same."""

    def is_slow(self, environ: dict[str, Any]) -> bool:
        """Whether a thread of the pool is to answer this request: its route says so (`slow`), or nothing.

        What is refused in any case is refused quickly.
        """
        method, path = environ["REQUEST_METHOD"], path_of(environ)
        rule: Rule | None = self._fixed.get((method, path))
        arguments: Any = {}
        if rule is None:
            try:
                rule, arguments = self._adapter.match(path, method, return_rule=True)
            except HTTPException:
                return False
        environ[MATCHED] = rule, arguments
        return rule.endpoint in self._slow


def _is_slow(view: Any) -> bool:
    described = description_of(view)
    return described is None or described.slow
