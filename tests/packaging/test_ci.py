"""CI passes if `make test` does, or if the few tests that failed in it pass alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.masters import ROOT

MAKE = """#!/bin/sh
[ "$1" = test ] || exit 9
[ ! -e failures ] || mv failures .pytest_cache/v/cache/lastfailed
exit $(cat make-exits)
"""
PYTHON = """#!/bin/sh
echo "$@" > asked
exit $(cat pytest-exits)
"""


class Checkout:
    """A copy of the script, with a `make test` and a pytest that end as they are told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / ".ci").mkdir()
        (folder / ".pytest_cache/v/cache").mkdir(parents=True)
        (folder / ".pytest_cache/v/cache/lastfailed").write_text('{"tests/test_old.py::test_old": true}')
        shutil.copy(ROOT / ".ci" / "run", folder / ".ci" / "run")
        self._program("make", MAKE)
        self._program(".venv/bin/python", PYTHON)

    def ends(self, make: int, failed: int, pytest: int = 0) -> tuple[int, bool]:
        """The script's exit code, and whether tests were run once more."""
        (self._folder / "make-exits").write_text(str(make))
        (self._folder / "pytest-exits").write_text(str(pytest))
        if failed:
            names = {f"tests/test_a.py::test_{number}": True for number in range(failed)}
            (self._folder / "failures").write_text(json.dumps(names, indent=2))
        path = f"{self._folder}:/usr/bin:/bin"
        ended = subprocess.run(
            [self._folder / ".ci" / "run"], env={"PATH": path}, capture_output=True, check=False
        )
        return ended.returncode, (self._folder / "asked").exists()

    def _program(self, name: str, text: str) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_nothing_is_run_again_after_a_success(checkout: Checkout) -> None:
    assert checkout.ends(make=0, failed=0) == (0, False)


@pytest.mark.parametrize("failed", [1, 3])
def test_a_few_that_pass_alone_are_enough(checkout: Checkout, failed: int) -> None:
    assert checkout.ends(make=2, failed=failed) == (0, True)


def test_one_that_fails_again_fails_it(checkout: Checkout) -> None:
    assert checkout.ends(make=2, failed=1, pytest=1) == (1, True)


def test_many_failures_are_not_chance(checkout: Checkout) -> None:
    assert checkout.ends(make=2, failed=4) == (1, False)


def test_what_fails_before_the_tests_fails_it(checkout: Checkout) -> None:
    assert checkout.ends(make=2, failed=0) == (1, False)
