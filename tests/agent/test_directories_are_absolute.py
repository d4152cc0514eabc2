"""The directories of an agent have whole names from the start: the sandbox has no current directory."""

from pathlib import Path

import pytest

from agent.workspace import absolute


def test_a_relative_path_is_where_the_agent_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was typed is below the current directory."""
    monkeypatch.chdir(tmp_path)
    assert absolute(Path("state/work")) == tmp_path / "state" / "work"


def test_parents_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `..` is left, as many as there were."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert absolute(Path("../../state")) == tmp_path / "state"


def test_links_keep_their_names(tmp_path: Path) -> None:
    """A link may be set to another disk later; its name is what was asked for."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    assert absolute(tmp_path / "link" / "state") == tmp_path / "link" / "state"


def test_a_parent_of_a_link_is_the_parent_of_where_it_leads(tmp_path: Path) -> None:
    """As the kernel reads it, not as the text looks."""
    (tmp_path / "far" / "disk").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "disk")
    assert absolute(tmp_path / "link" / ".." / "state") == tmp_path / "far" / "state"
