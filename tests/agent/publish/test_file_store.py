"""With the output `files` each file goes to the master's store, which must have counted the same hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from agent.files import Files
from tests.agent.publish.attempt import PIECES, Attempt


class Store(Files):
    """Keeps what it is given in memory."""

    def __init__(self, spoils: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self._spoils = spoils

    def put(self, path: Path, *_: object) -> str:
        content = path.read_bytes() + (b"?" if self._spoils else b"")
        sha256 = hashlib.sha256(content).hexdigest()
        self.files[sha256] = content
        return sha256


def test_each_file_is_put_there(tmp_path: Path) -> None:
    store = Store()
    published = Attempt(tmp_path, "files", store=store).publishes(PIECES, pieces=True)
    assert {artifact.location for artifact in published.artifacts} == {f"file:{name}" for name in store.files}
    assert sorted(store.files.values()) == sorted(PIECES.values())
    assert [artifact.path for artifact in published.artifacts] == list(PIECES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("store", "code"),
    [(Store(spoils=True), "output_invalid"), (None, "output_refused")],
    ids=["spoiled", "none"],
)
def test_a_store_that_has_something_else_or_is_not_there_fails_it(
    tmp_path: Path, store: Store | None, code: str
) -> None:
    assert Attempt(tmp_path, "files", store=store).fails() == code
