"""Templates are compiled once, before a worker is there to wait for it, and again when they change."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from jinja2 import DictLoader, Environment

import master.server
from master.api import dashboard
from master.api.dashboard.compiled import COMPILED, CompiledPages
from master.cli import run
from master.config import Config
from tests.dashboard.drawn import Drawn
from tests.masters import free_port


@pytest.fixture
def nothing_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(COMPILED, "_code", {})


def compiled_by(app: Any) -> list[str]:
    """The templates that it has to compile to have them all."""
    found: list[str] = []
    real = Environment.compile

    def compile_(self: Environment, source: Any, name: Any = None, *rest: Any, **more: Any) -> Any:
        found.append(str(name))
        return real(self, source, name, *rest, **more)

    with mock.patch.object(Environment, "compile", compile_):
        dashboard.compile_pages(app)
    return found


@pytest.mark.usefixtures("nothing_compiled")
def test_the_first_application_compiles_them_and_the_next_does_not(tmp_path: Path) -> None:
    assert {"overview.html", "job.html"} <= set(compiled_by(Drawn(tmp_path / "first").app))
    assert compiled_by(Drawn(tmp_path / "second").app) == []


@pytest.mark.usefixtures("nothing_compiled")
def test_the_master_has_compiled_them_before_it_starts_its_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []

    def serve(*_: Any) -> int:
        seen.append(compiled_by(Drawn(tmp_path / "worker").app))
        return 0

    monkeypatch.setattr(master.server, "serve", serve)
    monkeypatch.setattr(master.server, "bind", lambda _: None)
    assert run(Config(state_dir=tmp_path / "state", port=free_port())) == 0
    assert seen == [[]]


def test_what_has_changed_since_is_compiled_anew() -> None:
    cache = CompiledPages()

    def drawn(text: str) -> str:
        env = Environment(loader=DictLoader({"page": text}), bytecode_cache=cache, autoescape=True)
        return env.get_template("page").render()

    assert [drawn("one"), drawn("two"), drawn("two")] == ["one", "two", "two"]
