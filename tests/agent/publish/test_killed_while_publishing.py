"""What an agent that was killed had beside a place is removed at its next start, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.publish.rules import OutputRules
from agent.publish.unpublished import note, remove_unpublished, temporary_name

NODE = "node-one-and-more"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "finished"
    (root / "2024").mkdir(parents=True)
    return root


def killed(tmp_path: Path, output: str, name: str, node: str = NODE) -> None:
    """What an attempt had noted."""
    own = tmp_path / "work" / "job-1" / f"{node[:8]}-lease1.part"
    own.mkdir(parents=True)
    note(own, output, name)


def removed(tmp_path: Path, root: Path) -> None:
    remove_unpublished(tmp_path / "work", NODE, OutputRules({"finished": root}))


@pytest.mark.parametrize("directory", [False, True], ids=["file", "directory"])
def test_it_is_removed(tmp_path: Path, root: Path, directory: bool) -> None:
    name = temporary_name(NODE, "lease1")
    (root / "2024" / "other.mp4").write_bytes(b"precious")
    if directory:
        (root / "2024" / name / "720p").mkdir(parents=True)
    else:
        (root / "2024" / name).write_bytes(b"half")
    killed(tmp_path, "media:finished/2024/a.mp4", name)
    removed(tmp_path, root)
    assert [path.name for path in (root / "2024").iterdir()] == ["other.mp4"]


@pytest.mark.parametrize(
    ("output", "name", "node"),
    [
        ("media:finished/2024/a.mp4", "other.mp4", NODE),
        ("media:finished/2024/a.mp4", "../2024/other.mp4", NODE),
        ("media:finished/2024/a.mp4", ".ffrtmp-node-two-lease1.part", NODE),
        ("media:finished/2024/a.mp4", ".ffrtmp-node-two-lease1.part", "node-two"),
        ("media:news/2024/a.mp4", ".ffrtmp-node-one-lease1.part", NODE),
        ("media:finished/../a.mp4", ".ffrtmp-node-one-lease1.part", NODE),
    ],
)
def test_a_note_that_is_not_ours_removes_nothing(
    tmp_path: Path, root: Path, output: str, name: str, node: str
) -> None:
    (root / "2024" / "other.mp4").write_bytes(b"precious")
    (root / "2024" / ".ffrtmp-node-two-lease1.part").write_bytes(b"another agent's")
    killed(tmp_path, output, name, node)
    removed(tmp_path, root)
    assert len(list((root / "2024").iterdir())) == 2


@pytest.mark.parametrize("content", ["", "[]", "{", json.dumps({"output": 1}), "[" * 100_000])
def test_a_note_that_is_none_harms_nobody(tmp_path: Path, root: Path, content: str) -> None:
    killed(tmp_path, "media:finished/a.mp4", "x")
    (tmp_path / "work" / "job-1" / f"{NODE[:8]}-lease1.part" / "publishing").write_text(content)
    removed(tmp_path, root)
    assert (root / "2024").is_dir()
