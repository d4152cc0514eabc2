"""`make` alone lists every target, each with one line."""

from __future__ import annotations

import re
import subprocess

from .conftest import ROOT


def listed(*arguments: str) -> str:
    env = {"PATH": "/usr/bin:/bin"}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout


def test_make_alone_is_make_help() -> None:
    assert listed() == listed("help")


def test_every_target_of_ours_is_listed_with_what_it_does() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (help .*)$", makefile, re.MULTILINE)
    assert phony
    lines = dict(line.strip().removeprefix("make ").split(maxsplit=1) for line in listed().splitlines())
    assert set(lines) == set(phony[1].split())
    assert all(lines.values())
