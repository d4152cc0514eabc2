"""What the operator's command prints: tables for people, documents for programs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.paths import HIDDEN

WIDTH = 120
"""Columns that a table needs so that nothing in it is cut."""

Document = dict[str, Any]
Column = tuple[str, Callable[[Document], str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Something to print in either way."""

    document: Any
    show: Callable[[], None]
    """Print it for people."""


def number(value: float | None, form: str = "{:.1f}", unit: str = "") -> str:
    """A number for people; a dash if it is unknown."""
    return "-" if value is None else form.format(value) + unit


def rate(bits: float | None) -> str:
    """A bitrate for people."""
    return number(None if bits is None else bits / 1000, "{:,.0f}", " kbit/s")


def counted(count: int, what: str) -> str:
    """`1 file`, `2 files`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def safe(text: str) -> str:
    """A text that cannot steer the terminal, whoever wrote it: `common.paths` says what is shown how."""
    return HIDDEN.sub(lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode()), text)


def short(identifier: str | None) -> str:
    """The first part of an id: enough to tell them apart."""
    return "-" if identifier is None else identifier[:8]


def table(rows: Sequence[Document], columns: Sequence[Column], nothing: str) -> Answer:
    """One row for each document; ids are never cut, so that they can be copied."""

    def show() -> None:
        if not rows:
            click.echo(nothing)
            return
        drawn = Table(box=None, pad_edge=False, header_style="bold")
        for title, _ in columns:
            drawn.add_column(title, no_wrap=title in ("ID", "SHA256"))
        for row in rows:
            drawn.add_row(*(Text(safe(render(row))) for _, render in columns))
        # Nothing is cut: into a pipe lines are as long as they need to be, and a narrow terminal wraps them.
        width = max(Console().width, WIDTH) if sys.stdout.isatty() else 2 * WIDTH
        Console(width=width).print(drawn)

    return Answer(list(rows), show)


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


def nodes(rows: Sequence[Document]) -> Answer:
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
    return table(
        rows, columns, "No node is registered. On a worker: agent --register --master https://HOST:8080"
    )


def tokens(rows: Sequence[Document]) -> Answer:
    """The tokens."""
    columns: list[Column] = [
        ("ID", lambda t: t["id"]),
        ("NAME", lambda t: t["name"]),
        ("ROLE", lambda t: t["role"]),
        ("STATUS", lambda t: t["status"]),
        ("EXPIRES", lambda t: t["expires_at"]),
        ("USES LEFT", lambda t: "-" if t["uses_left"] is None else str(t["uses_left"])),
    ]
    return table(rows, columns, "There are no tokens. Make one with: ffrtmp tokens create")


def jobs(rows: Sequence[Document]) -> Answer:
    """The queue and what came of it."""
    columns: list[Column] = [
        ("ID", lambda j: j["id"]),
        ("SCENARIO", lambda j: j["scenario"]),
        ("STATUS", lambda j: j["status"]),
        ("PROGRESS", _progress),
        ("NODE", lambda j: short(j["node_id"])),
        ("NOTE", lambda j: j["pending_reason"] or (j["error"] or {}).get("message") or ""),
    ]
    return table(rows, columns, "There are no such jobs. Submit one with: ffrtmp jobs submit 720p-h264")


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
    return Answer(list(jobs), lambda: click.echo("\n".join(job["id"] for job in jobs)))


def results(rows: Sequence[Document], nothing: str = "There are no results yet.") -> Answer:
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
    return table(rows, columns, nothing)


def _result_note(result: Document) -> str:
    """Why it failed, or what is to be known of what was made: a warning that nobody sees warns nobody."""
    if result["error"]:
        return str(result["error"]["message"])
    return "; ".join(result["warnings"] or ())


def audit(rows: Sequence[Document]) -> Answer:
    """Who did what."""
    columns: list[Column] = [
        ("AT", lambda e: e["at"]),
        ("BY", lambda e: e["by"] or "-"),
        ("FROM", lambda e: e["from"] or "-"),
        ("EVENT", lambda e: e["event"]),
        ("ID", lambda e: e["job_id"] or e["node_id"] or e["token_id"] or "-"),
        ("DETAILS", _details),
    ]
    return table(rows, columns, "The audit has no such entry.")


def _details(entry: Document) -> str:
    """What the entry says beyond its first id."""
    on_node = {"node": entry["node_id"]} if entry["job_id"] and entry["node_id"] else {}
    known = {name: value for name, value in {**on_node, **entry["details"]}.items() if value is not None}
    return ", ".join(
        f"{name}: {value['message'] if isinstance(value, dict) else value}" for name, value in known.items()
    )


def files(rows: Sequence[Document]) -> Answer:
    """The file store."""
    columns: list[Column] = [
        ("SHA256", lambda f: f["sha256"]),
        ("SIZE", lambda f: f"{f['size']:,}"),
        ("NAME", lambda f: f["name"] or "-"),
        ("TYPE", lambda f: f["media_type"] or "-"),
        ("USED", lambda f: f["used_at"]),
        ("OWNERS", lambda f: ", ".join(f["owners"]) or "-"),
    ]
    return table(rows, columns, "No file is stored. Put one here with: ffrtmp files put FILE")


def files_stored(stored: Sequence[Document]) -> Answer:
    """Files, as jobs call them."""
    return Answer(list(stored), lambda: click.echo("\n".join(f"file:{f['sha256']}" for f in stored)))


def scenarios(rows: Sequence[Document]) -> Answer:
    """The catalogue."""
    columns: list[Column] = [
        ("NAME", lambda s: s["name"]),
        ("SIZE", lambda s: f"{s['width']}x{s['height']}"),
        ("FPS", lambda s: f"{s['fps']:g}"),
        ("CODEC", lambda s: s["codec"]),
        ("BITRATE", lambda s: s["bitrate"]),
        ("DURATION", lambda s: f"{s['duration']:g} s"),
    ]
    return table(rows, columns, "There are no scenarios.")
