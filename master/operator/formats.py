"""An answer in each format: for people (`show`), and for programs (JSON, YAML, CSV, ids)."""

from __future__ import annotations

import csv
import functools
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.paths import HIDDEN

FORMATS = ("table", "json", "yaml", "csv")

Document = dict[str, Any]
Field = tuple[str, str]
"""A column of CSV: its header, and where the value is in a document (names with dots between)."""

_FORMULA = ("=", "+", "-", "@")
"""A text that begins so is a formula to a spreadsheet program."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Something to print in any format. An iterator as `document` is read once, as it comes."""

    document: Any
    """A document of the API, or documents: what JSON and YAML print, and CSV a line of each."""
    show: Callable[[], None]
    """Print it for people."""
    fields: Sequence[Field] = ()
    """The columns of CSV; none: all that the document has."""
    name: str = "id"
    """What `--quiet` prints of each document."""


def fields(text: str) -> tuple[Field, ...]:
    """Columns, written as `id size=size_bytes metrics.fps`: the place, and the header if it is another."""
    pairs = (each.partition("=") for each in text.split())
    return tuple((header or place, place) for place, _, header in pairs)


def lines(answer: Answer, form: str) -> Iterator[str]:
    """The answer in a format for programs, in pieces that end with a line."""
    if form == "csv":
        return _csv(answer)
    if form == "yaml":
        return _yaml(answer.document)
    return _json(answer.document)


def names(answer: Answer) -> Iterator[str]:
    """What `--quiet` prints: the id of each document; nothing of one that has none."""
    for document in _documents(answer.document):
        found = document.get(answer.name) if isinstance(document, Mapping) else None
        if found is not None:
            yield f"{safe(str(found))}\n"


def safe(text: str) -> str:
    """A text that cannot steer the terminal, whoever wrote it: `common.paths` says what is shown how."""
    return HIDDEN.sub(lambda match: "".join(f"\\x{byte:02x}" for byte in match[0].encode()), text)


def _is_one(document: Any) -> bool:
    return isinstance(document, Mapping | str | int | float | None)


def _documents(document: Any) -> Iterable[Any]:
    return [document] if _is_one(document) else document


def _json(document: Any) -> Iterator[str]:
    if _is_one(document):
        yield _dumped(document) + "\n"
        return
    between = "[\n"
    for one in document:
        # JSON has no line breaks within texts.
        yield between + "\n".join(f"  {line}" for line in _dumped(one).split("\n"))
        between = ",\n"
    yield "\n]\n" if between == ",\n" else "[]\n"


def _dumped(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _yaml(document: Any) -> Iterator[str]:
    if _is_one(document):
        yield _yaml_of(document)
        return
    empty = True
    for one in document:
        empty = False
        yield _yaml_of([one])
    if empty:
        yield "[]\n"


def _yaml_of(document: Any) -> str:
    return _yaml_dump()(document).removesuffix("...\n")


@functools.cache
def _yaml_dump() -> Callable[[Any], str]:
    import yaml  # most who print do without it

    class Plain(yaml.SafeDumper):
        """Writes what is there twice, twice: no anchors, which few programs expect."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - yaml's hook
            """yaml's hook."""
            return True

    def dump(document: Any) -> str:
        text: str = yaml.dump(document, Dumper=Plain, sort_keys=False, allow_unicode=True)
        return text

    return dump


def _csv(answer: Answer) -> Iterator[str]:
    documents: Iterable[Any] = _documents(answer.document)
    columns = answer.fields
    if not columns:
        documents = list(documents)
        flat = [_flat(document) for document in documents]
        columns = tuple((name, name) for name in dict.fromkeys(name for each in flat for name in each))
        if columns:
            yield _row(header for header, _ in columns)
        for each in flat:
            yield _row(_cell(each.get(place)) for _, place in columns)
        return
    yield _row(header for header, _ in columns)
    for document in documents:
        yield _row(_cell(_at(document, place)) for _, place in columns)


def _row(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(list(cells))
    return text.getvalue()


def _at(document: Any, place: str) -> Any:
    """The value at `place`; None if there is none."""
    for name in place.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def _flat(document: Any, prefix: str = "") -> Document:
    """The values of a document and of those within it, by their places."""
    if not isinstance(document, Mapping):
        return {prefix.removesuffix(".") or "value": document}
    found: Document = {}
    for name, value in document.items():
        found.update(
            _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
        )
    return found


def _cell(value: Any) -> str:
    """A value as a cell: empty if unknown, a number as it is, and a text that is no formula and one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        value = "; ".join(value)
    text = safe(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return f"'{text}" if text.startswith(_FORMULA) else text
