"""`ffrtmp report`: what came of an experiment, as a page, a table for programs, or JSON."""

from __future__ import annotations

import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from common.clock import system_clock
from common.options import DURATION
from common.settings import CODECS
from common.timestamps import parse_timestamp
from master.operator.matrix import Matrix, read_matrix
from master.operator.report import content, page
from master.operator.report.content import Content
from master.operator.report.runs import Record, run
from master.operator.report.source import Records, Wanted, from_files, from_master
from master.operator.tables import counted
from master.operator.talk import clear_failures

FORMATS = ("html", "csv", "json")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NOT_INSTALLED = (
    "a page is drawn by packages that this ffrtmp does not have. In a checkout, `make setup` brings them "
    "(the command is .venv/bin/ffrtmp); elsewhere: pip install 'ffmpeg-rtmp[report]'. CSV and JSON need "
    "none: save results with `ffrtmp report -o results.json`, and draw them where the packages are with "
    "`ffrtmp report --from results.json`."
)


@click.command()
@click.argument("job_ids", nargs=-1, metavar="[JOB_ID]...")
@click.option(
    "-o", "--file", type=click.Path(dir_okay=False, path_type=Path, allow_dash=True), default="report.html",
    help="Where to write it; - for standard output.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="How to write it. Without it, the file's name says."
)
@click.option("--scenario", multiple=True, help="Only jobs of this scenario; may be given several times.")
@click.option("--codec", multiple=True, type=click.Choice(list(CODECS)), help="Only this codec; as above.")
@click.option("--since", type=DURATION, help="Only what was finished in the last 24h, 30d, …")
@click.option("--matrix", type=_FILE, help="Only the jobs that this file asks for (ffrtmp matrix).")
@click.option(
    "--from", "saved", multiple=True, type=_FILE,
    help="Read a saved report (-o FILE.json), not the master; may be given several times.",
)  # fmt: skip
@click.option("--title", help="The heading. Without it: the matrix's name.")
@click.pass_obj
def report(
    settings: dict[str, Any],
    /,
    job_ids: tuple[str, ...],
    file: Path,
    form: str | None,
    saved: tuple[Path, ...],
    matrix: Path | None,
    title: str | None,
    **filters: Any,
) -> None:
    """Compare finished jobs: quality, bitrate, speed, energy, cost and BD-rates.

    A self-contained page (report.html), CSV with a row for each point, or JSON. Of the jobs that the
    master remembers: all, or those with the JOB_IDs, or those that the options leave over.
    """
    form = form or _form_of(file)
    if form == "html" and not page.available():
        raise click.ClickException(NOT_INSTALLED)
    now = system_clock().wall
    asked = None if matrix is None else read_matrix(matrix)
    found = _found(settings, job_ids, saved, _wanted(asked, job_ids if saved else (), now, **filters))
    told = content.content(found, title or (asked.name if asked else "") or "Encodes compared", now)
    _write(file, rendered(told, form))
    if str(file) != "-":
        click.echo(f"{file}: {_summary(told)}", err=settings["output"] == "json")


def _form_of(file: Path) -> str:
    """The format that the file's name says."""
    form = file.suffix.removeprefix(".").lower()
    form = {"htm": "html"}.get(form, form)
    if form not in FORMATS:
        raise click.UsageError(
            f"{file} does not end in .html, .csv or .json; say which with --format",
            click.get_current_context(),
        )
    return form


def _found(
    settings: dict[str, Any], job_ids: Sequence[str], saved: Sequence[Path], wanted: Wanted
) -> Records:
    if saved:
        return from_files(saved, wanted)
    with clear_failures(settings):
        return from_master(settings["connect"](), job_ids, wanted)


def _wanted(
    matrix: Matrix | None,
    job_ids: Sequence[str],
    now: datetime,
    *,
    scenario: Sequence[str],
    codec: Sequence[str],
    since: float | None,
) -> Wanted:
    """Whether a record is what the options leave over."""
    tests: list[Callable[[Record], bool]] = []
    if matrix is not None:
        tests.append(matrix.asks_for())
    if job_ids:
        tests.append(lambda record: record["job_id"] in job_ids)
    if scenario:
        tests.append(lambda record: record["scenario"] in scenario)
    if codec:
        tests.append(lambda record: run(record).series.codec in codec)
    if since is not None:
        try:
            start = now - timedelta(seconds=since)
        except OverflowError as error:
            raise click.BadParameter("is longer than there are years", param_hint="--since") from error
        tests.append(lambda record: _finished_after(record, start))
    return lambda record: all(test(record) for test in tests)


def _finished_after(record: Record, start: datetime) -> bool:
    """Whether it was finished at `start` or later; one that is not finished yet will be."""
    at = record["completed_at"]
    with suppress(ValueError):
        return at is None or parse_timestamp(at) >= start
    return False


def rendered(told: Content, form: str) -> str:
    """The whole file."""
    if form == "html":
        return page.page(told)
    if form == "json":
        return json.dumps(content.document(told), indent=2, ensure_ascii=False) + "\n"
    text = io.StringIO()
    csv.writer(text).writerows(content.rows(told))
    return text.getvalue()


def _write(file: Path, text: str) -> None:
    """Write it whole or not at all."""
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=file.parent, prefix=f".{file.name[:100]}.", delete=False
        ) as unfinished:
            try:
                unfinished.write(text)
                unfinished.flush()
                os.fchmod(unfinished.fileno(), 0o666 & ~_umask())
                Path(unfinished.name).replace(file)
            except BaseException:
                Path(unfinished.name).unlink()
                raise
    except OSError as error:
        raise click.ClickException(f"cannot write {file}: {error.strerror}") from error


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _summary(told: Content) -> str:
    clips = len({one.clip for one in told.runs})
    encodes, ways = counted(len(told.runs), "encode"), counted(len(told.series), "way")
    parts = [f"{encodes} of {counted(clips, 'clip')} in {ways}"]
    if told.failed:
        parts.append(f"{len(told.failed)} failed")
    if told.waiting:
        parts.append(f"{told.waiting} are not finished yet")
    return ", ".join(parts)
