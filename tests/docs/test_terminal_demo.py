"""The recorded terminal session shows commands that exist, and its picture is drawn from the recording."""

from __future__ import annotations

import json
import re
import shlex
from xml.etree import ElementTree

import click
import pytest

from master.operator.cli import main
from scripts.terminal_demo import CAST, COLUMNS, DESCRIPTION, LINES, PICTURE, SCENES, TITLE
from scripts.terminal_svg import shots, svg
from tests.docs.markdown import ROOT

RECORDED = CAST.read_text()


def typed() -> list[str]:
    """What was typed, from the recording."""
    text = "".join(json.loads(line)[2] for line in RECORDED.splitlines()[1:])
    found = re.findall(r"\x1b\[32m\$\x1b\[0m ([^\r\x1b]*) \r\n", text)
    return [command.strip() for command in found]


def test_what_is_shown_is_what_the_script_records() -> None:
    assert typed() == [scene.command for scene in SCENES if scene.shown]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.command)
def test_each_command_exists_and_takes_these_arguments(scene: object) -> None:
    arguments = shlex.split(scene.command)  # type: ignore[attr-defined]
    assert arguments.pop(0) == "ffrtmp"
    command: click.Command = main
    context = click.Context(command, info_name="ffrtmp")
    while isinstance(command, click.Group):
        while arguments[0].startswith("-"):
            arguments.pop(0)
        name = arguments.pop(0)
        found = command.get_command(context, name)
        assert found is not None, name
        command = found
    command.make_context(command.name, arguments, parent=context, resilient_parsing=False)


def test_the_recording_is_of_its_format() -> None:
    head, *events = (json.loads(line) for line in RECORDED.splitlines())
    assert (head["version"], head["width"], head["height"]) == (2, COLUMNS, LINES)
    times = [event[0] for event in events]
    assert times == sorted(times)
    assert {event[1] for event in events} == {"o"}


def test_the_picture_is_drawn_from_the_recording() -> None:
    assert PICTURE.read_text() == svg(RECORDED, TITLE, DESCRIPTION)


def test_the_picture_says_what_it_shows_runs_no_script_and_stands_still_where_that_is_wanted() -> None:
    root = ElementTree.parse(PICTURE).getroot()
    tags = {child.tag.rpartition("}")[2] for child in root.iter()}
    assert {"title", "desc", "style"} <= tags
    assert not tags & {"script", "image", "foreignObject"}
    assert "prefers-reduced-motion" in PICTURE.read_text()


def test_bars_of_the_parts_of_a_ladder_and_the_screen_of_top_are_in_it() -> None:
    screens = [
        "\n".join(" ".join(text for _, text, _, _ in row) for row in shot.rows) for shot in shots(RECORDED)
    ]
    assert any(all(part in each for part in ("480p", "360p", "240p", "━")) for each in screens)
    assert any("RUNNING by left" in each and "worker-2" in each for each in screens)


def test_readme_shows_it() -> None:
    readme = (ROOT / "README.md").read_text()
    assert str(PICTURE.relative_to(ROOT)) in readme
    assert "make terminal-demo" in readme
