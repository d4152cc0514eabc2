"""Which master is meant: a flag beats the environment, that a context, and that the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from master.operator.contexts import Config, ConfigError
from master.operator.target import Target, choose

_A = {"master": "https://a:1", "token_file": "/a.token", "ca_cert": "/a.pem"}
_CONFIG = Config(Path("/c.yaml"), "a", {"a": _A, "b": {"master": "https://b:1", "token_file": "/b.token"}})


def _chosen(flags: dict[str, str], environment: dict[str, str], config: Config = _CONFIG) -> Target:
    return choose(flags, environment, config)


def _said(target: Target) -> tuple[str, str | None, str | None]:
    return target.address.url, target.value("token_file"), target.value("ca_cert")


def test_without_anything_it_is_the_master_on_this_machine() -> None:
    target = _chosen({}, {}, Config(Path("/c.yaml")))
    assert _said(target) == ("https://localhost:8080", None, None)
    assert target.settings["master"].source == "default"


def test_the_current_context_is_used_unless_another_is_named() -> None:
    assert _said(_chosen({}, {})) == ("https://a:1", "/a.token", "/a.pem")
    assert _said(_chosen({}, {"context": "b"})) == ("https://b:1", "/b.token", None)
    assert _said(_chosen({"context": "a"}, {"context": "b"})) == ("https://a:1", "/a.token", "/a.pem")


def test_the_environment_beats_a_context_that_no_flag_names() -> None:
    assert _said(_chosen({}, {"master": "https://c:1"}))[0] == "https://c:1"
    assert _said(_chosen({}, {"token_file": "/mine"})) == ("https://a:1", "/mine", "/a.pem")


def test_a_context_that_a_flag_names_beats_the_environment() -> None:
    target = _chosen({"context": "b"}, {"master": "https://c:1", "token_file": "/mine"})
    assert _said(target) == ("https://b:1", "/b.token", None)


def test_a_flag_beats_all() -> None:
    target = _chosen({"context": "b", "token_file": "/flag"}, {"token_file": "/mine"})
    assert (_said(target), target.settings["token_file"].source) == (("https://b:1", "/flag", None), "flag")


@pytest.mark.parametrize("named", [{}, {"context": "b"}])
def test_what_a_context_has_is_for_its_master_alone(named: dict[str, str]) -> None:
    target = _chosen({"master": "https://c:1", **named}, {})
    assert (_said(target), target.context) == (("https://c:1", None, None), None)


def test_the_same_master_written_otherwise_is_still_the_contexts() -> None:
    assert _said(_chosen({"master": "a:1"}, {}))[1] == "/a.token"


def test_a_context_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no context 'z' in /c\.yaml; it has: a, b"):
        _chosen({"context": "z"}, {})
