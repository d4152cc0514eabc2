"""Reading a matrix file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from marshmallow import ValidationError

from master.operator.matrix.document import MAX_BYTES, MatrixError, parse, place
from master.operator.matrix.expand import Matrix, expand
from master.operator.matrix.schema import MatrixSchema

_TOLD = 20
"""Mistakes that are told at once."""


def read_matrix(path: Path) -> Matrix:
    """The experiment that the file describes;
    a usage error (exit code 2) that names the place if it is wrong.
    """
    try:
        with path.open("rb") as file:
            return matrix(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise click.BadParameter(f"cannot read {path}: {error.strerror}", param_hint="FILE") from error
    except MatrixError as error:
        raise click.BadParameter(f"{path}: {error}", param_hint="FILE") from error


def matrix(data: bytes) -> Matrix:
    """The experiment that the bytes of a file describe; `MatrixError`."""
    document, lines = parse(data)
    if not isinstance(document, dict):
        raise MatrixError("it must be a mapping, with scenarios: and what else there is")
    try:
        return expand(MatrixSchema().load(document), lines)
    except ValidationError as error:
        told = [f"{place(path, lines)}: {text}" for path, text in _flat(error.messages)]
        raise MatrixError("; ".join(_sorted(told)[:_TOLD])) from error


def _sorted(told: list[str]) -> list[str]:
    """In the order of the file."""
    return sorted(told, key=lambda text: int(text.removeprefix("line ").partition(":")[0]))


def _flat(messages: Any, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], str]]:
    """Each message with its path."""
    if isinstance(messages, dict):
        return [found for key, inner in messages.items() for found in _flat(inner, (*path, key))]
    return [(path, str(text)) for text in (messages if isinstance(messages, list) else [messages])]
