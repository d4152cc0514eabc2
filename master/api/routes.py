"""Which requests take long to answer; asked by the worker before it lets one be answered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask
from werkzeug.exceptions import HTTPException

from master.api.described import description_of


class Routes:
    """The routes of an application."""

    def __init__(self, app: Flask) -> None:
        """All its routes are there already."""
        self._adapter = app.url_map.bind("localhost")
        self._slow = {each for each, view in app.view_functions.items() if _is_slow(view)}

    def is_slow(self, environ: Mapping[str, Any]) -> bool:
        """Whether a thread of the pool is to answer this request: its route says so (`slow`), or nothing.

        What is refused in any case is refused quickly.
        """
        try:
            endpoint, _ = self._adapter.match(environ["PATH_INFO"], environ["REQUEST_METHOD"])
        except HTTPException:
            return False
        return endpoint in self._slow


def _is_slow(view: Any) -> bool:
    described = description_of(view)
    return described is None or described.slow
