"""Pages that are drawn in this process, on a clock that only the test moves, and what they were given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, template_rendered
from jinja2 import Template

from master.api.documents import archive_entry
from master.app import create_app
from master.auth import Gate
from master.hosts import Hosts
from master.service.retention import Retention
from tests.core.support import FakeClock, make_farm

SECRET = "s" * 43


class Drawn:
    """A farm, and the answers of its pages to the operator."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.farm = make_farm(directory, self.clock)
        gate = Gate(self.farm.store, SECRET, self.farm.clock, local_door=False)
        self.app: Flask = create_app(self.farm, gate, Hosts({"localhost"}))
        self._client = self.app.test_client()

    def get(self, path: str, *, signed_in: bool = True, **headers: str) -> tuple[int, str]:
        """The status and the text of a page."""
        known = {"Authorization": f"Bearer {SECRET}"} if signed_in else {}
        answer = self._client.get(path, headers=known | headers)
        return answer.status_code, answer.get_data(as_text=True)

    def archive(self) -> None:
        """Move all that is finished to the archive."""
        self.clock.advance(1)
        Retention(self.farm, archive_entry).round(self.clock.now.wall + timedelta(days=1), self.clock.now)

    @contextmanager
    def sources(self) -> Iterator[list[tuple[str, Mapping[str, Any]]]]:
        """The templates that are drawn meanwhile, each with the names that it was given."""
        found: list[tuple[str, Mapping[str, Any]]] = []

        def note(_: Flask, template: Template, context: dict[str, Any], **__: Any) -> None:
            found.append((str(template.name), context))

        with template_rendered.connected_to(note, self.app):
            yield found
