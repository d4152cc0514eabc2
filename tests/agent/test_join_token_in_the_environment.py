"""A join token from the environment is out of it before the agent does anything else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner

from agent import start
from agent.cli import main


def test_it_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []

    def run(options: Mapping[str, Any]) -> None:
        seen.append((options["join_token"], "FFRTMP_JOIN_TOKEN" in os.environ))

    monkeypatch.setattr(start, "run", run)
    monkeypatch.setattr("agent.cli.set_up_logging", lambda *_: None)
    done = CliRunner().invoke(main, ["--register"], env={"FFRTMP_JOIN_TOKEN": "secret"})
    assert done.exit_code == 0, done.output
    assert seen == [("secret", False)]
