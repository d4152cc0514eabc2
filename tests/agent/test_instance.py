"""An agent proves that the one before it has ended, and only where that is sure."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from agent import instance
from agent.instance import Instance, Process, successor

HERE = Process(pid=100, started=5000, boot_id="boot-2", machine_id="machine")
EARLIER = Instance("earlier", replace(HERE, pid=50, started=4000), registered=True)


def next_after(previous: Instance | None, *, alive: bool = False) -> Instance:
    return successor(previous, HERE, lambda _process: alive, "fresh")


def test_the_first_replaces_nobody() -> None:
    assert next_after(None) == Instance("fresh", HERE, replaces=None, registered=False)


def test_one_whose_process_is_gone_is_replaced() -> None:
    assert next_after(EARLIER) == Instance("fresh", HERE, replaces="earlier")


def test_one_that_lives_is_not() -> None:
    assert next_after(EARLIER, alive=True) == Instance("fresh", HERE, replaces=None)


def test_no_process_outlives_its_machines_restart() -> None:
    before = replace(EARLIER, process=replace(EARLIER.process, boot_id="boot-1"))
    assert next_after(before, alive=True).replaces == "earlier"


def test_nothing_is_known_of_another_machines_processes() -> None:
    elsewhere = replace(EARLIER, process=replace(EARLIER.process, machine_id="another"))
    assert next_after(elsewhere).replaces is None


def test_one_that_may_not_have_registered_is_continued() -> None:
    hanging = Instance("hanging", EARLIER.process, replaces="earlier")
    assert next_after(hanging) == Instance("hanging", HERE, replaces="earlier")


def test_it_is_kept_before_and_after_the_master_knows_it(tmp_path: Path) -> None:
    first = instance.begin(tmp_path)
    assert (first.replaces, first.registered) == (None, False)
    instance.confirm(tmp_path, first)
    # This very process lives, so another that finds its file may not replace it.
    second = instance.begin(tmp_path)
    assert (second.replaces, second.id != first.id) == (None, True)


def test_a_process_that_has_ended_is_recognised(tmp_path: Path) -> None:
    body = (
        "import pathlib, sys\nfrom agent import instance\n"
        "here = pathlib.Path(sys.argv[1])\ninstance.confirm(here, first := instance.begin(here))\n"
        "print(first.id)"
    )
    done = subprocess.run([sys.executable, "-c", body, str(tmp_path)], stdout=subprocess.PIPE, check=True)
    assert instance.begin(tmp_path).replaces == done.stdout.decode().strip()


def test_another_process_with_the_same_number_is_another(tmp_path: Path) -> None:
    this = instance.this_process()
    instance.confirm(tmp_path, Instance("earlier", replace(this, started=this.started - 1)))
    assert instance.begin(tmp_path).replaces == "earlier"


@pytest.mark.parametrize("damage", ["", "[]", '{"id": "x"}'])
def test_a_damaged_file_is_replaced_with_a_warning(
    tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "instance.json").write_text(damage)
    assert instance.begin(tmp_path).replaces is None
    assert str(tmp_path / "instance.json") in caplog.text
