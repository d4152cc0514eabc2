"""What people see while files move, and when that fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import requests

from common.client import ApiError
from common.transfers import Told, TransferError
from master.operator.exits import refusal

PATIENCE = 120.0
"""Seconds without success after which a command gives up; the same command goes on where it ended."""


def shown(path: Path, *, whole: bool = False) -> str:
    """A path as text: it may be any bytes."""
    return os.fsencode(path if whole else path.name).decode("utf-8", "replace")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns what goes wrong with a file into one line; what goes wrong on the way is told by `talks`."""
    try:
        yield
    except ApiError as error:
        raise refusal(error, f"{shown(path, whole=True)}: ") from error
    except TransferError as error:
        raise click.ClickException(f"{shown(path, whole=True)}: {error}") from error
    except FileExistsError as error:
        raise click.ClickException(
            f"{shown(path, whole=True)} was made by somebody else meanwhile"
        ) from error
    except requests.RequestException:
        raise
    except OSError as error:
        raise click.ClickException(f"{shown(path, whole=True)}: {error.strerror or error}") from error


@contextmanager
def progress(what: str) -> Iterator[Told]:
    """A bar on a terminal; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        "{task.description}",
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
