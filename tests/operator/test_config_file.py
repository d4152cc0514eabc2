"""The config file of `ffrtmp`: what is wrong with one is said with its line, and what is kept is private."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from master.operator.contexts import Config, ConfigError, load, parse

FILE = Path("/home/a/config.yaml")
_SOUND = b"""current: berlin
contexts:
  berlin:
    master: https://10.0.0.5:8080
    token_file: berlin.token
  home: {master: "https://localhost:8080"}
"""


def test_a_sound_file_has_contexts_whose_paths_are_beside_it() -> None:
    config = parse(FILE, _SOUND)
    assert config.current == "berlin"
    assert config.context("berlin") == {
        "master": "https://10.0.0.5:8080",
        "token_file": "/home/a/berlin.token",
    }
    assert config.context("home") == {"master": "https://localhost:8080"}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("contexts: [", 1, "expected the node content"),
        ("contexts: 3", 1, "contexts: write names and values"),
        ("- a", 1, "the file: write names and values"),
        ("colour: red", 1, "the file has no 'colour'; it may have: current, contexts"),
        ("contexts:\n  a:\n    ca_cert: x", 3, "context 'a' has no master"),
        ("contexts:\n  a:\n    master: ftp://x", 3, "context 'a': 'ftp://x' is no master"),
        ("contexts:\n  a:\n    master: x\n    token: secret", 4, "a token does not belong here"),
        ("contexts:\n  a:\n    master: x\n    user: me", 4, "context 'a' has no 'user'"),
        ("contexts:\n  a:\n    master: [x]", 3, "master: write a text"),
        ("contexts:\n  a: {master: x}\n  a: {master: y}", 3, "a is there twice"),
        ("contexts:\n  a: {master: x}\ncurrent: b", 3, "current: there is no context 'b'"),
        ("a: *b", 1, "found undefined alias"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(text: str, line: int, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(FILE, text.encode())
    assert str(caught.value).startswith(f"{FILE}:{line}: {problem}")


def test_a_token_in_the_file_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(FILE, b"contexts:\n  a:\n    master: x\n    token: hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"[" * 10_000, b"a: \x00"])
def test_what_is_no_yaml_is_one_line(data: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(FILE, data)
    assert "\n" not in str(caught.value)


def test_no_file_is_no_context(tmp_path: Path) -> None:
    assert load(tmp_path / "config.yaml").contexts == {}


def test_what_is_saved_is_read_again_and_belongs_to_one(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.yaml"
    config = Config(file).with_context("a", {"master": "x"}).with_context("b", {"master": "y"})
    config.save()
    assert load(file) == config
    assert (load(file).current, stat.S_IMODE(file.stat().st_mode)) == ("a", 0o600)
    assert config.without("a").current is None
    assert config.without("b").current == "a"


def test_a_file_that_others_may_write_is_not_listened_to(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_bytes(_SOUND)
    file.chmod(0o666)
    with pytest.raises(ConfigError, match="others may write it"):
        load(file)
