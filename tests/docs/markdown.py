"""Reads our Markdown: fenced blocks and their attributes; and compares what is shown with what is real."""

from __future__ import annotations

import json
import re
import shlex
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. Commands are `bash`; what they print is a `text` or `json` block behind them."""

    line: int
    language: str
    attributes: Mapping[str, str]
    text: str

    @property
    def is_command(self) -> bool:
        return self.language == "bash"


def blocks(page: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(page):
        attributes = dict(word.split("=", 1) for word in shlex.split(match[2]))
        found.append(Block(page.count("\n", 0, match.start()) + 1, match[1], attributes, match[3]))
    return found


def headings(page: str) -> list[str]:
    """All headings; lines in fenced blocks are none."""
    return _HEADING.findall(_FENCE.sub("", page))


def anchor(heading: str) -> str:
    """The fragment that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _plain(line: str) -> str:
    """A line without what differs from run to run: ids, times, numbers, this machine's name, spacing."""
    if line.strip().isdigit():
        return line.strip()  # a number alone on its line is what the command is about
    line = re.sub(rf"\b{re.escape(socket.gethostname())}\b", "worker-01", line)
    for pattern, word in (
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "ID"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"\d(?:[\d.,:]*\d)?", "#"),
        (r"\s+", " "),
    ):
        line = re.sub(pattern, word, line)
    return line.strip()


def missing_lines(shown: str, real: str) -> list[str]:
    """The lines of `shown` that do not come in this order in `real`; `…` stands for anything."""
    rest = [_plain(line) for line in real.splitlines()]
    missing = []
    for line in shown.splitlines():
        wanted = re.escape(_plain(line)).replace("…", ".*").replace(r"\ .*", ".*").replace(r".*\ ", ".*")
        place = next((i for i, other in enumerate(rest) if re.fullmatch(wanted, other)), None)
        if place is None:
            missing.append(line)
        elif line.strip(" …"):
            rest = rest[place + 1 :]
    return missing


def different_fields(shown: Any, real: Any, path: str = "$") -> list[str]:
    """Where the documented JSON has other fields or types than the real one.

    A key `…` in the documented object stands for further fields; null goes with everything.
    """
    if shown is None or real is None:
        return []
    if isinstance(shown, dict) and isinstance(real, dict):
        extra = set() if "…" in shown else real.keys() - shown.keys()
        wrong = [f"{path}.{key}: not shown" for key in sorted(extra)]
        for key in shown.keys() - {"…"}:
            if key not in real:
                wrong.append(f"{path}.{key}: not real")
            else:
                wrong += different_fields(shown[key], real[key], f"{path}.{key}")
        return wrong
    if isinstance(shown, list) and isinstance(real, list):
        return different_fields(shown[0], real[0], f"{path}[0]") if shown and real else []
    numbers = (int, float)
    same = type(shown) is type(real) or (type(shown) in numbers and type(real) in numbers)
    return [] if same else [f"{path}: {shown!r} is shown, {real!r} is real"]


def complaints(shown: Block, real: str) -> list[str]:
    """What is wrong with an output block, given what was really printed."""
    if shown.language == "json":
        return different_fields(json.loads(shown.text), json.loads(real))
    return [f"not printed: {line}" for line in missing_lines(shown.text, real)]
