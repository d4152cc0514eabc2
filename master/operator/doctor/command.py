"""`ffrtmp doctor`, as it is typed and printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from common.checkup import Finding, State
from common.clock import system_clock
from common.options import state_directory
from master.operator.doctor import findings
from master.operator.doctor.way import Way, look
from master.operator.exits import Exit
from master.operator.formats import Answer, fields
from master.operator.tables import safe
from master.operator.talk import show


@click.command("doctor")
@click.pass_obj
def doctor(settings: dict[str, Any]) -> None:
    """Check this machine and the way to the master, and say what to do; exit code 1 if something is wrong.

    It changes nothing, and trusts nobody. A worker is checked by: agent --doctor.
    """
    target = settings["target"]()
    named = target.value("ca_cert")
    way = Way(
        target.address,
        Path(named) if named else None,
        state_directory("operator") / target.address.directory,
        settings["token"](),
        system_clock,
    )
    found: list[Finding] = []

    def looked() -> Iterator[Finding]:
        for finding in (*_machine(), *look(way)):
            found.append(finding)
            yield finding

    def print_them() -> None:
        click.echo(f"This machine, and the way to {target.address.url}")
        for finding in looked():
            for line in finding.lines().splitlines():
                click.echo(safe(line))

    documents = (asdict(finding) for finding in looked())
    show(Answer(documents, print_them, fields("name state said todo"), "name"), settings)
    if any(finding.state is State.BAD for finding in found):
        raise click.exceptions.Exit(Exit.NO)


def _machine() -> Iterator[Finding]:
    yield findings.python(sys.version_info[:3])
    place = state_directory("operator")
    there = next(each for each in (place, *place.parents) if each.exists())
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        free = None
    yield findings.disk(str(place), free)
