"""Draws a recorded terminal (asciinema v2) as an animated SVG: a strip of screens that moves by steps. Pure.

A screen's lines are drawn once each, however many screens show them. Who wants less motion sees the last one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

import pyte
from pyte.screens import Char

CELL, LINE, SIZE = 7.2, 16, 12
"""Pixels: the width of a character, the height of a line, and of the font."""
PAD, BAR = 12, 26
EVERY = 0.5
"""Seconds between two screens at least."""
HOLD = 3.0
"""Seconds that the last one stays."""
_COLOURS = {
    "default": "#d6deeb", "black": "#5c6773", "red": "#ff6b6b", "green": "#7fd88f", "brown": "#ffd166",
    "blue": "#82aaff", "magenta": "#c792ea", "cyan": "#7fdbca", "white": "#ffffff",
}  # fmt: skip
BOLD = ' font-weight="700"'
_DIM = "#8892a6"
_FONTS = "ui-monospace,SFMono-Regular,Menlo,Consolas,DejaVu Sans Mono,monospace"
_GROUND = "#0f1724"

Row = tuple[tuple[int, str, str, bool], ...]
"""Pieces of a line: where each begins, its text, its colour, and whether it is bold."""


_Aside = tuple[Any, int, int]
_OTHER_SCREEN = re.compile(r"(\x1b\[\?1049[hl])")


@dataclass(frozen=True, slots=True)
class Shot:
    """What the screen was from some moment on."""

    at: float
    rows: tuple[Row, ...]


def shots(cast: str) -> list[Shot]:
    """The screens of a recording that differ, and the last one."""
    head, *events = (json.loads(line) for line in cast.splitlines())
    screen = pyte.Screen(head["width"], head["height"])
    stream = pyte.Stream(screen)
    found: list[Shot] = []
    aside: list[_Aside] = []
    for number, (at, _, data) in enumerate(events):
        _feed(screen, stream, data, aside)
        last = number + 1 == len(events)
        due = not found or at >= found[-1].at + EVERY
        quiet = last or events[number + 1][0] > at + 0.05  # a screen that is half drawn is none
        if (due and quiet) or last:
            rows = tuple(_row(screen.buffer[y], screen.columns) for y in range(screen.lines))
            if not found or found[-1].rows != rows:
                found.append(Shot(at, rows))
    return found


def _feed(screen: pyte.Screen, stream: pyte.Stream, data: str, aside: list[_Aside]) -> None:
    """Shows what was written. pyte has one screen only: what a full-screen program covers is put aside."""
    for piece in _OTHER_SCREEN.split(data):
        if piece == "\x1b[?1049h":
            aside.append((deepcopy(screen.buffer), screen.cursor.x, screen.cursor.y))
        elif piece == "\x1b[?1049l" and aside:
            screen.buffer, screen.cursor.x, screen.cursor.y = aside.pop()
        else:
            stream.feed(piece)


def _row(line: dict[int, Char], columns: int) -> Row:
    styled = [(x, line[x]) for x in range(columns)]
    pieces = []
    for (colour, bold), group in groupby(styled, lambda cell: (_colour(cell[1]), cell[1].bold)):
        run = list(group)
        start, text = run[0][0], "".join(char.data for _, char in run)
        pieces += [(start + at, word, colour, bold) for at, word in _words(text)]
    return tuple(pieces)


def _words(text: str) -> Iterator[tuple[int, str]]:
    """What is between gaps of two blanks and more, and where it begins."""
    at = 0
    for word in text.split("  "):
        stripped = word.strip(" ")
        if stripped:
            yield at + len(word) - len(word.lstrip(" ")), stripped
        at += len(word) + 2


def _colour(char: Char) -> str:
    if char.fg == "default" and getattr(char, "dim", False):
        return _DIM
    return _COLOURS.get(char.fg) or f"#{char.fg}"


def svg(cast: str, title: str, description: str) -> str:
    """The recording as a picture."""
    head = json.loads(cast.partition("\n")[0])
    film = shots(cast)
    width, height = head["width"] * CELL + 2 * PAD, head["height"] * LINE + PAD + BAR
    whole = film[-1].at + HOLD
    numbers = {
        row: n for n, row in enumerate(dict.fromkeys(row for shot in film for row in shot.rows if row))
    }
    steps = "".join(
        f"{100 * shot.at / whole:.2f}%{{transform:translateY({-n * height:.0f}px)}}"
        for n, shot in enumerate(film)
    )
    end = (len(film) - 1) * height
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
            f'width="{width:.0f}" height="{height:.0f}" font-family="{_FONTS}" font-size="{SIZE}">',
            f"<title>{escape(title)}</title><desc>{escape(description)}</desc>",
            f"<style>text{{white-space:pre}}.f{{animation:film {whole:.1f}s step-end infinite}}"
            f"@keyframes film{{0%{{transform:translateY(0)}}{steps}"
            f"100%{{transform:translateY({-end:.0f}px)}}}}"
            f"@media (prefers-reduced-motion:reduce){{.f{{animation:none;"
            f"transform:translateY({-end:.0f}px)}}}}</style>",
            f"<defs>{''.join(_drawn(row, number) for row, number in numbers.items())}</defs>",
            f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="{_GROUND}"/>',
            *(f'<circle cx="{16 + 16 * n}" cy="13" r="4.5" fill="#3a4658"/>' for n in range(3)),
            f'<svg y="{BAR}" width="{width:.0f}" height="{height - BAR:.0f}"><g class="f">',
            *_strip(film, numbers, height),
            "</g></svg></svg>\n",
        ]
    )


def _strip(film: Sequence[Shot], numbers: dict[Row, int], height: float) -> Iterable[str]:
    for n, shot in enumerate(film):
        uses = "".join(
            f'<use href="#r{numbers[row]}" y="{y * LINE}"/>' for y, row in enumerate(shot.rows) if row
        )
        yield f'<g transform="translate(0,{n * height:.0f})">{uses}</g>'


def _drawn(row: Row, number: int) -> str:
    texts = "".join(
        f'<text x="{PAD + x * CELL:.1f}" y="{SIZE}" fill="{colour}"'
        f'{BOLD if bold else ""} textLength="{len(text) * CELL:.1f}">{escape(text)}</text>'
        for x, text, colour, bold in row
    )
    return f'<g id="r{number}">{texts}</g>'
