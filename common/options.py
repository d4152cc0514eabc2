"""What the command lines of master, agent and operator share."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import platformdirs

from common.durations import parse_duration
from common.logs import LOG_FORMATS, LOG_LEVELS, PEOPLE

T = TypeVar("T")


class Parsed(click.ParamType[T]):
    """What a function makes of a text. Its ValueError is a usage error (exit code 2), in its words."""

    def __init__(self, name: str, parse: Callable[[str], T]) -> None:
        """`name`: of the value, in the help."""
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> T:
        """click's hook; what is no text has been converted before."""
        if not isinstance(value, str):
            converted: T = value
            return converted
        try:
            return self._parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = Parsed("duration", parse_duration)
"""Seconds, written as `10s`, `1m30s`, `500ms`."""
_SIZE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([KMGT]?)", re.ASCII)


def _parse_size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no size; write 500M, 200G or 1.5T")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2] or " "))


SIZE = Parsed("size", _parse_size)
"""Bytes, written as `200G`; the units are powers of 1024."""


def state_directory(part: str) -> Path:
    """Where `part` (master, agent) keeps its state by default, as the platform has it."""
    return Path(platformdirs.user_state_dir("ffmpeg-rtmp", appauthor=False)) / part


def require_platform(program: str) -> None:
    """End with one clear line where we are not supported."""
    machine = platform.machine()
    if sys.platform == "linux" and machine in ("x86_64", "aarch64"):
        return
    click.echo(f"{program}: runs on Linux on x86-64 and arm64, not on {sys.platform} on {machine}", err=True)
    raise SystemExit(1)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The flags that say what is logged, and how."""
    level = click.option("--log-level", type=click.Choice(LOG_LEVELS), default="info", help="What is logged.")
    form = click.option(
        "--log-format",
        type=click.Choice(LOG_FORMATS),
        default=PEOPLE,
        help="Lines for people, or a JSON object on each.",
    )
    return level(form(command))
