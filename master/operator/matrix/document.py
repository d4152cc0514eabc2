"""YAML as we take it: what it means is seen at once, and where in the file each part of it is. Pure.

Taken is YAML 1.2's core: texts, numbers, true and false, null, lists and mappings. `no` is a text
and `1:30` is no number. Refused, each with its line: aliases (with which a few lines can stand for
billions), tags, keys that occur twice, more than one document, and nesting deeper than 16.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import yaml

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 16
Path = tuple[str | int, ...]
Lines = Mapping[Path, int]
"""The line (from 1) of each part of a document: `("codecs", "h264", "crf", 0)`."""

_TAG = "tag:yaml.org,2002:"


class MatrixError(Exception):
    """What is wrong with the file, in a sentence that names the place."""


class _Loader(yaml.SafeLoader):
    """Composes nodes, and refuses what could surprise."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own way

    def compose_node(self, parent: Any, index: Any) -> Any:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # so the stubs say
        if isinstance(event, yaml.events.AliasEvent):
            raise MatrixError(f"line {_line(event)}: aliases (*name) are not taken")
        self.depth: int = getattr(self, "depth", 0) + 1
        if self.depth > MAX_DEPTH:
            raise MatrixError(f"line {_line(event)}: it is nested deeper than {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_WORDS = (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^[-+]?[0-9]{1,18}$", list("-+0123456789")),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", list("-+.0123456789")),
)
for _name, _pattern, _first in _WORDS:
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern, re.ASCII), _first)


def parse(data: bytes) -> tuple[Any, Lines]:
    """The document and where its parts are; `MatrixError` if it is none, or none that we take."""
    if len(data) > MAX_BYTES:
        raise MatrixError(f"it has more than {MAX_BYTES // 1024} KiB")
    try:
        # Not yaml's own way from bytes: that takes UTF-16 too.
        node = _Loader(data.decode("utf-8")).get_single_node()
    except UnicodeDecodeError as error:
        raise MatrixError(f"byte {error.start} is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        raise MatrixError(f"{place}{error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise MatrixError(str(error).splitlines()[0]) from error
    lines: dict[Path, int] = {}
    return (None if node is None else _value(node, (), lines)), lines


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1


def _value(node: Any, path: Path, lines: dict[Path, int]) -> Any:
    lines[path] = _line(node)
    if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
        return _mapping(node, path, lines)
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
        return [_value(item, (*path, place), lines) for place, item in enumerate(node.value)]
    kind = node.tag.removeprefix(_TAG)
    if not isinstance(node, yaml.ScalarNode) or kind not in ("str", "null", "bool", "int", "float"):
        raise MatrixError(f"line {_line(node)}: the tag {node.tag} is not taken")
    return _scalar(node, kind)


def _mapping(node: Any, path: Path, lines: dict[Path, int]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            raise MatrixError(f"line {_line(key_node)}: a key must be a text")
        key = str(key_node.value)
        if key in made:
            raise MatrixError(f"line {_line(key_node)}: the key {key!r} occurs twice")
        made[key] = _value(value_node, (*path, key), lines)
        lines[(*path, key)] = _line(key_node)
    return made


def _scalar(node: Any, kind: str) -> Any:
    try:
        if kind == "int":
            return int(node.value)
        if kind == "float":
            value = float(node.value)
            if math.isfinite(value):
                return value
            raise MatrixError(f"line {_line(node)}: {node.value[:40]!r} is too large a number")
    except ValueError as error:
        raise MatrixError(f"line {_line(node)}: {node.value[:40]!r} is no number") from error
    return {"null": None, "bool": node.value.lower() == "true"}.get(kind, node.value)


def place(path: Path, lines: Lines) -> str:
    """`line 7: codecs.h264.crf.0`, for the nearest part that is in the file."""
    known = path
    while known and known not in lines:
        known = known[:-1]
    name = ".".join(map(str, path))
    return f"line {lines.get(known, 1)}: {name}" if name else f"line {lines.get(known, 1)}"
