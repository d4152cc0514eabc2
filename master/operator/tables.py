"""What the operator's command prints for people; `formats` prints for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click
from rich.cells import cell_len

from master.operator import records
from master.operator.formats import Answer, Document, Field, safe

__all__ = ["Answer", "Column", "Document", "safe"]

WIDTH = 120
"""Columns that a table needs so that nothing in it is cut."""

Column = tuple[str, Callable[[Document], str]]
Naming = Callable[[str | None], str]
"""What people call the node of an id."""


def number(value: float | None, form: str = "{:.1f}", unit: str = "") -> str:
    """A number for people; a dash if it is unknown."""
    return "-" if value is None else form.format(value) + unit


def rate(bits: float | None) -> str:
    """A bitrate for people."""
    return number(None if bits is None else bits / 1000, "{:,.0f}", " kbit/s")


def counted(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def short(identifier: str | None) -> str:
    """The first part of an id: enough to tell them apart."""
    return "-" if identifier is None else identifier[:8]


def table(
    rows: Iterable[Document],
    columns: Sequence[Column],
    nothing: str,
    fields: Sequence[Field] = (),
    name: str = "id",
) -> Answer:
    """One row for each document; ids are never cut, so that they can be copied.

    `rows` are read once, when they are printed. `nothing` is said on stderr if there is none: a program that
    reads what is printed has not to know that sentence. `fields`: the columns of CSV; `name`: what
    `--quiet` prints of each.
    """

    def show() -> None:
        shown = [[safe(render(row)) for _, render in columns] for row in rows]
        titles = [title for title, _ in columns]
        if not shown:
            click.echo(nothing, err=not sys.stdout.isatty())
        elif sys.stdout.isatty():
            _draw(titles, shown)
        else:
            _write(titles, shown)

    return Answer(rows, show, fields, name)


def _draw(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """On a terminal; a narrow one wraps the lines, and nothing is cut."""
    from rich.console import Console  # what goes into a pipe does without it
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for title in titles:
        drawn.add_column(title, no_wrap=title in ("ID", "SHA256"))
    for row in rows:
        drawn.add_row(*map(Text, row))
    Console(width=max(Console().width, WIDTH)).print(drawn)


def _write(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Into a pipe or a file: a line for each row, as long as it needs to be."""
    lines = [titles, *rows]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def said(document: Document, sentence: str) -> Answer:
    """What was done: a sentence for people, and for programs the document that it left."""
    return Answer(document, lambda: click.echo(sentence))


def document(content: Document) -> Answer:
    """One document, a line for each field."""

    def show() -> None:
        for name, value in content.items():
            _field(name, value, 0)

    return Answer(content, show)


def _field(name: str, value: Any, depth: int) -> None:
    indent = "  " * depth
    if isinstance(value, dict) and value:
        click.echo(f"{indent}{name}:")
        for key, item in value.items():
            _field(key, item, depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for position, item in enumerate(value, start=1):
            _field(f"{name} {position}", item, depth)
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else value
        click.echo(f"{indent}{name}: {'-' if text in (None, '', {}) else safe(str(text))}")


def nodes(rows: Iterable[Document]) -> Answer:
    """The registry."""
    columns: list[Column] = [
        ("ID", lambda n: n["id"]),
        ("NAME", lambda n: n["address"]),
        ("STATUS", lambda n: n["status"]),
        ("JOBS", lambda n: f"{n['running_jobs']}/{n['max_concurrent_jobs']}"),
        ("TYPE", lambda n: n["type"] or "-"),
        ("THREADS", lambda n: number(n["cpu_threads"], "{}")),
        ("LAST HEARTBEAT", lambda n: n["last_heartbeat"] or "-"),
    ]
    nothing = "No node is registered. On a worker: agent --register --master https://HOST:8080"
    return table(rows, columns, nothing, records.NODES)


def tokens(rows: Iterable[Document]) -> Answer:
    """The tokens."""
    columns: list[Column] = [
        ("ID", lambda t: t["id"]),
        ("NAME", lambda t: t["name"]),
        ("ROLE", lambda t: t["role"]),
        ("STATUS", lambda t: t["status"]),
        ("EXPIRES", lambda t: t["expires_at"]),
        ("USES LEFT", lambda t: "-" if t["uses_left"] is None else str(t["uses_left"])),
    ]
    return table(rows, columns, "There are no tokens. Make one with: ffrtmp tokens create", records.TOKENS)


def jobs(rows: Iterable[Document], node: Naming = short) -> Answer:
    """The queue and what came of it. `node`: what people call the node of an id."""
    columns: list[Column] = [
        ("ID", lambda j: j["id"]),
        ("SCENARIO", lambda j: f"{j['scenario']} {j['part']}" if j.get("part") else j["scenario"]),
        ("STATUS", lambda j: j["status"]),
        ("PROGRESS", _progress),
        ("NODE", lambda j: node(j["node_id"])),
        ("NOTE", lambda j: j["pending_reason"] or (j["error"] or {}).get("message") or ""),
    ]
    nothing = "There are no such jobs. Submit one with: ffrtmp jobs submit 720p-h264"
    return table(rows, columns, nothing, records.JOBS)


def _progress(job: Document) -> str:
    progress = job["progress"] or {}
    if progress.get("percent") is None:
        return ""
    return f"{progress['percent']:.0f} %  {number(progress['fps'], '{:.0f}', ' fps')}"


def job_submitted(job: Document) -> Answer:
    """A new job."""
    return Answer(job, lambda: click.echo(job["id"]))


def jobs_submitted(jobs: Sequence[Document]) -> Answer:
    """New jobs, by their ids."""
    return Answer(list(jobs), lambda: click.echo("\n".join(job["id"] for job in jobs)), records.JOBS)


def results(rows: Iterable[Document], nothing: str = "There are no results yet.") -> Answer:
    """What the encodes cost."""

    def metric(name: str) -> Callable[[Document], Any]:
        return lambda row: (row["metrics"] or {}).get(name)

    columns: list[Column] = [
        ("ID", lambda r: r["job_id"]),
        ("SCENARIO", lambda r: r["scenario"]),
        ("STATUS", lambda r: r["status"]),
        ("FRAMES", lambda r: number(metric("frames")(r), "{}")),
        ("FPS", lambda r: number(metric("fps")(r))),
        ("SPEED", lambda r: number(metric("speed")(r), "{:.2f}", "x")),
        ("BITRATE", lambda r: rate(metric("bitrate")(r))),
        ("CPU", lambda r: number(metric("cpu_seconds")(r), "{:.1f}", " s")),
        ("WALL", lambda r: number(metric("wall_seconds")(r), "{:.1f}", " s")),
        ("NOTE", _result_note),
    ]
    return table(rows, columns, nothing, records.results(), "job_id")


def _result_note(result: Document) -> str:
    """Why it failed, or what is to be known of what was made: a warning that nobody sees warns nobody."""
    if result["error"]:
        return str(result["error"]["message"])
    return "; ".join(result["warnings"] or ())


def audit(rows: Iterable[Document]) -> Answer:
    """Who did what."""
    columns: list[Column] = [
        ("AT", lambda e: e["at"]),
        ("BY", lambda e: e["by"] or "-"),
        ("FROM", lambda e: e["from"] or "-"),
        ("EVENT", lambda e: e["event"]),
        ("ID", lambda e: e["job_id"] or e["node_id"] or e["token_id"] or "-"),
        ("DETAILS", _details),
    ]
    return table(rows, columns, "The audit has no such entry.", records.AUDIT, "seq")


def _details(entry: Document) -> str:
    """What the entry says beyond its first id."""
    on_node = {"node": entry["node_id"]} if entry["job_id"] and entry["node_id"] else {}
    known = {name: value for name, value in {**on_node, **entry["details"]}.items() if value is not None}
    return ", ".join(
        f"{name}: {value['message'] if isinstance(value, dict) else value}" for name, value in known.items()
    )


def files(rows: Iterable[Document]) -> Answer:
    """The file store."""
    columns: list[Column] = [
        ("SHA256", lambda f: f["sha256"]),
        ("SIZE", lambda f: f"{f['size']:,}"),
        ("NAME", lambda f: f["name"] or "-"),
        ("TYPE", lambda f: f["media_type"] or "-"),
        ("USED", lambda f: f["used_at"]),
        ("OWNERS", lambda f: ", ".join(f["owners"]) or "-"),
    ]
    nothing = "No file is stored. Put one here with: ffrtmp files put FILE"
    return table(rows, columns, nothing, records.FILES, "sha256")


def files_stored(stored: Sequence[Document]) -> Answer:
    """Files, as jobs call them."""
    return Answer(
        list(stored),
        lambda: click.echo("\n".join(f"file:{f['sha256']}" for f in stored)),
        records.FILES,
        "sha256",
    )


def scenarios(rows: Iterable[Document]) -> Answer:
    """The catalogue."""
    columns: list[Column] = [
        ("NAME", lambda s: s["name"]),
        ("SIZE", lambda s: f"{s['width']}x{s['height']}"),
        ("FPS", lambda s: f"{s['fps']:g}"),
        ("CODEC", lambda s: s["codec"]),
        ("BITRATE", lambda s: s["bitrate"]),
        ("DURATION", lambda s: f"{s['duration']:g} s"),
    ]
    return table(rows, columns, "There are no scenarios.", records.SCENARIOS, "name")
