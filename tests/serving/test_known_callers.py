"""The application tells the worker whom it knows, for whom connections are kept when there are too many."""

from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import EnvironBuilder

from master.app import create_app
from master.auth import Gate
from master.hosts import Hosts
from master.store.journal import SEGMENT_BYTES
from master.worker.admission import KNOWN_CALLER
from tests.core.support import FakeClock, make_farm


@pytest.mark.parametrize(
    ("credential", "known"), [("Bearer right", True), ("Bearer wrong", False), (None, False)]
)
def test_a_caller_is_known_by_a_credential_that_is_right(
    tmp_path: Path, credential: str | None, known: bool
) -> None:
    farm = make_farm(tmp_path, FakeClock(), SEGMENT_BYTES)
    app = create_app(farm, Gate(farm.store, "right", farm.clock, local_door=False), Hosts())
    environ = EnvironBuilder("/health").get_environ()
    if credential is not None:
        environ["HTTP_AUTHORIZATION"] = credential
    answer = b"".join(app.wsgi_app(environ, lambda *_: lambda _: None))
    assert b"healthy" in answer
    assert environ[KNOWN_CALLER] is known
