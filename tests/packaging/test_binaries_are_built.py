"""`make build-distributed` prints what the guide promises, and builds only what changed."""

from __future__ import annotations

from pathlib import Path

from .conftest import Built

PROMISED = """\
Building master node...
✓ Master binary created: bin/master

Building compute agent...
✓ Agent binary created: bin/agent

Building operator's command...
✓ Operator binary created: bin/ffrtmp
"""
BINARIES = ("master", "agent", "ffrtmp")


def identities(checkout: Path) -> dict[str, int]:
    # A rebuilt binary is renamed into place, so it is another inode.
    return {name: (checkout / "bin" / name).stat().st_ino for name in BINARIES}


def test_the_output_is_the_guides_word_by_word(built: Built) -> None:
    assert built.output == PROMISED


def test_nothing_is_built_again_when_nothing_changed(built: Built) -> None:
    before = identities(built.checkout)
    assert built.build() == PROMISED
    assert identities(built.checkout) == before


def test_only_the_parts_that_contain_a_changed_file_are_built_again(built: Built) -> None:
    before = identities(built.checkout)
    (built.checkout / "master" / "extra.py").write_text('"""A new module."""\n')
    built.build()
    after = identities(built.checkout)
    assert {name for name in BINARIES if before[name] != after[name]} == {"master", "ffrtmp"}


def test_the_binaries_find_python_through_env(built: Built) -> None:
    for name in BINARIES:
        with (built.checkout / "bin" / name).open("rb") as file:
            assert file.readline() == b"#!/usr/bin/env python3\n"
