"""JSON as RFC 8259 means it, with bounds: what `json.loads` lets through and later breaks things.

Refused: NaN and Infinity, duplicate keys, integers beyond 64 bits, floats that overflow,
lone surrogates, and nesting deeper than 32. All else that is JSON is taken.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1
_SURROGATE = re.compile("[\\ud800-\\udfff]")


class StrictJSONError(ValueError):
    """What is wrong with the document, in a sentence for whoever sent it."""


def loads(data: bytes) -> Any:
    """The document; `StrictJSONError` if it is none, or one that we do not take."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJSONError(f"byte {error.start} is not UTF-8") from error
    try:
        document = _decode(text)
    except RecursionError as error:
        raise StrictJSONError(f"nested deeper than {MAX_DEPTH} levels") from error
    except json.JSONDecodeError as error:
        raise StrictJSONError(f"{error.msg} at line {error.lineno} column {error.colno}") from error
    # Half a pair of surrogates can only be written as an escape: UTF-8 has none.
    if "\\u" in text or text.count("[") + text.count("{") > MAX_DEPTH:
        _check(document, 0)
    return document


def _constant(name: str) -> float:
    raise StrictJSONError(f"{name} is not JSON; leave the field out or send null")


def _integer(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MAX_INTEGER:
        raise StrictJSONError("an integer is larger than 64 bits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise StrictJSONError("a number is too large")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # set.add is used for its effect
        raise StrictJSONError(f"the key {twice!r} occurs twice")
    return document


_decode = json.JSONDecoder(
    parse_constant=_constant, parse_int=_integer, parse_float=_float, object_pairs_hook=_object
).decode


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise StrictJSONError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str) -> None:
    if _SURROGATE.search(text):
        raise StrictJSONError("a string has half a surrogate pair in it")
