"""What is known of an input, as text for the nodes that get only a piece of it. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import cattrs

from common.source import MOST_TRACKS, Source

MOST_CHARACTERS = 32_768
"""Of such a text: two times 32 tracks, and the rest, take a quarter of that."""
_MOST_PIXELS = 65_536
"""Of a side."""
_MOST_SECONDS = 10_000_000.0
_MOST_WORD = 100
"""Characters of a codec's name, a language and the like."""


class FactsError(ValueError):
    """The text is none of ours, or cannot be true; the message says why."""


def to_text(source: Source) -> str:
    """As JSON, in which equal sources are equal texts."""
    fields = asdict(source)
    aspect = source.sample_aspect
    fields["sample_aspect"] = [aspect.numerator, aspect.denominator]
    return json.dumps(fields, separators=(",", ":"), sort_keys=True, allow_nan=False)


def from_text(text: str) -> Source:
    """What `to_text` was given. `FactsError`."""
    if len(text) > MOST_CHARACTERS:
        raise FactsError(
            f"what is said of the input has {len(text)} characters; {MOST_CHARACTERS} are the most"
        )
    try:
        source = _converter.structure(json.loads(text, parse_constant=_refuse), Source)
    except Exception as error:
        raise FactsError(f"what is said of the input is not understood: {text[:200]!r}") from error
    problem = _problem(source)
    if problem is not None:
        raise FactsError(f"what is said of the input cannot be true: {problem}")
    return source


def another(text: str | None, size: int) -> str | None:
    """A sentence if a file of so many bytes is not the one that the text tells of: then chunks of two films
    would be joined. None if it may be, or if nothing is told. `FactsError`.
    """
    known = None if text is None else from_text(text).size
    if known is None or known == size:
        return None
    return f"the input has {size} bytes, and had {known} when it was planned: it was changed; retry the job"


def _problem(source: Source) -> str | None:
    if not 0 < source.duration <= _MOST_SECONDS:
        return f"it lasts {source.duration} s"
    if not (0 < source.width <= _MOST_PIXELS and 0 < source.height <= _MOST_PIXELS):
        return f"its picture has {source.width}x{source.height} pixels"
    if len(source.audio) > MOST_TRACKS or len(source.subtitles) > MOST_TRACKS:
        return "it has too many tracks"
    if source.rotation not in (0, 90, 180, 270):
        return f"it is turned by {source.rotation} degrees"
    if source.sample_aspect <= 0 or not 1 <= source.depth <= 32:
        return "its pixels are none"
    counts = (source.frames, source.frame_rate, source.span, source.size)
    if any(number is not None and number < 0 for number in counts):
        return "a count is less than nothing"
    return None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _number(value: Any, _: type) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _exactly(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{value!r} is no {kind.__name__}")
    return value


def _word(value: Any, _: type) -> str:
    text: str = _exactly(value, str)
    if len(text) > _MOST_WORD:
        raise ValueError(f"{text!r} is too long")
    return text


def _fraction(value: Any, _: type) -> Fraction:
    numerator, denominator = value
    return Fraction(_exactly(numerator, int), _exactly(denominator, int))


_converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
_converter.register_structure_hook(float, _number)
_converter.register_structure_hook(str, _word)
_converter.register_structure_hook(Fraction, _fraction)
for _kind in (bool, int):
    _converter.register_structure_hook(_kind, _exactly)
