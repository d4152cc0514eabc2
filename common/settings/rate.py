"""How many bits an encode may take: a bitrate, or a quality. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.scenarios import Scenario
from common.settings.codecs import CODECS
from common.settings.errors import UnsuitableError

MIN_BITRATE, MAX_BITRATE = 10_000, 500_000_000
BITRATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)([kKmM]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """Either a bitrate or a quality; the other one is None."""

    bitrate: int | None = None
    """Bits per second."""
    crf: float | None = None
    """Constant quality; None with `target_vmaf` until it is found."""
    maxrate: int | None = None
    """Bits per second that a constant quality may not exceed for long."""
    passes: int = 1
    """2: a first pass looks where the bits are needed."""
    target_vmaf: float | None = None
    """The VMAF that the CRF is searched for."""
    share_of: int | None = None
    """The bitrate of the whole, where `bitrate` is that of a chunk: it is what bounds the peaks."""


def parse_bitrate(text: str) -> int:
    """Bits per second from `5000k`, `2.5M` or `800000`; ValueError if it is none."""
    match = BITRATE.fullmatch(text)
    if not match:
        raise ValueError("a bitrate is a number of bits per second, as in 5000k or 2.5M")
    value = round(float(match[1]) * {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()])
    if not MIN_BITRATE <= value <= MAX_BITRATE:
        raise ValueError("a bitrate is between 10k and 500M")
    return value


def resolve_rate(scenario: Scenario, given: Mapping[str, Any], codec: str) -> Rate:
    """What `given` parameters ask for; the scenario's bitrate if nothing. `UnsuitableError`."""
    crf, target = given.get("crf"), given.get("target_vmaf")
    ways = [name for name in ("crf", "bitrate", "target_vmaf") if given.get(name) is not None]
    if len(ways) > 1:
        raise UnsuitableError(ways[0], f"give either {' or '.join(ways)}, not both")
    if crf is not None and crf > CODECS[codec].max_crf:
        raise UnsuitableError("crf", f"crf of {codec} is between 0 and {CODECS[codec].max_crf}")
    by_quality = crf is not None or target is not None
    maxrate = given.get("maxrate")
    if maxrate is not None and not by_quality:
        raise UnsuitableError("maxrate", "maxrate caps a crf or target_vmaf; a bitrate has a cap of its own")
    if given.get("two_pass"):
        _check_two_pass(codec, by_quality=by_quality)
    return Rate(
        bitrate=None if by_quality else parse_bitrate(str(given.get("bitrate", scenario.bitrate))),
        crf=None if crf is None else rounded_crf(float(crf), codec),
        maxrate=None if maxrate is None else parse_bitrate(str(maxrate)),
        passes=2 if given.get("two_pass") else 1,
        target_vmaf=None if target is None else float(target),
    )


def rounded_crf(crf: float, codec: str) -> float:
    """The crf that the codec's encoder makes of it: VP9 and AV1 know whole numbers only."""
    return float(round(crf)) if CODECS[codec].whole_crf else crf


def _check_two_pass(codec: str, *, by_quality: bool) -> None:
    if by_quality:
        raise UnsuitableError("two_pass", "two passes go with a bitrate; a crf needs one")
    if not CODECS[codec].two_pass:
        able = ", ".join(name for name, codec in CODECS.items() if codec.two_pass)
        raise UnsuitableError("two_pass", f"{codec} misses its bitrate by more with two passes; use {able}")
