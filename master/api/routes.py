"""Which route a request takes, and how it is answered there: looked up once, by the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from flask import Flask
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from master.api.described import Description, description_of

_MATCHED = "master.matched"
"""In the WSGI environment: what was found, so that it need not be found again."""


def path_of(environ: Mapping[str, Any]) -> str:
    """The path of a request. WSGI has its bytes, each as a character (PEP 3333)."""
    path: str = environ.get("PATH_INFO", "")
    return path if path.isascii() else path.encode("latin-1").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Route:
    """What answers at an address."""

    endpoint: str
    view: Callable[..., Any]
    description: Description | None
    """What `describe` said of it."""

    @property
    def slow(self) -> bool:
        """Whether a thread of the pool is to answer: its description says so, or there is none."""
        return self.description is None or self.description.slow

    @property
    def direct(self) -> bool:
        """Whether it answers JSON, or nothing, and needs no request of Flask's."""
        said = self.description
        return (
            said is not None
            and (said.answers is not None or said.media_type is None)
            and said.streams is None
            and not said.partial
        )


class Matched(NamedTuple):
    """A request's route, with what its address has in the places of the rule's arguments."""

    route: Route
    rule: Rule
    arguments: Mapping[str, Any]


class Routes:
    """The routes of an application."""

    def __init__(self, app: Flask) -> None:
        """All its routes are there already."""
        self._adapter = app.url_map.bind("localhost")
        self._routes = {
            endpoint: Route(endpoint, view, description_of(view))
            for endpoint, view in app.view_functions.items()
        }
        self._fixed = {
            (method, rule.rule): Matched(self._routes[rule.endpoint], rule, {})
            for rule in app.url_map.iter_rules()
            for method in rule.methods or ()
            if not rule.arguments
        }
        """Those whose addresses are always the same."""

    def find(self, environ: dict[str, Any]) -> Matched | None:
        """The route of a request; None if it has none, or not with its method, or should ask elsewhere."""
        found: Matched | None = environ.get(_MATCHED)
        if found is None:
            method, path = environ["REQUEST_METHOD"], path_of(environ)
            found = self._fixed.get((method, path)) or self._match(method, path)
            environ[_MATCHED] = found
        return found

    def _match(self, method: str, path: str) -> Matched | None:
        try:
            rule, arguments = self._adapter.match(path, method, return_rule=True)
        except HTTPException:
            return None
        return Matched(self._routes[rule.endpoint], rule, arguments)

    def is_slow(self, environ: dict[str, Any]) -> bool:
        """Whether a thread of the pool is to answer this request.

        What is refused in any case is refused quickly.
        """
        found = self.find(environ)
        return found is not None and found.route.slow
