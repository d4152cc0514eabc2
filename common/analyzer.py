"""What follows from a result's metrics: pure rules, listed in docs/analysis.md.

Metrics may come from anybody's client, so each is used only if it is a sensible number;
from an unknown one follows an unknown one (None).
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from common.model import Scalar

HEADROOM = 0.2
"""The share of a node that is kept free when its streams are counted."""
TOLERANCE = 10.0
"""Per cent by which a bitrate may differ and still counts as kept."""
SHORT = 5.0
"""Seconds of video below which starting up and settling in weigh too much."""
_MAX = 1e15
"""A number beyond this measures nothing that exists."""

RULES: dict[str, str] = {
    "realtime": "speed >= 1",
    "realtime_streams": "speed x 0.8, rounded down: 20 % stay free; true while the CPU is the limit",
    "bitrate_error_percent": "(bitrate - bitrate_asked) / bitrate_asked x 100",
    "bitrate_kept": "bitrate_error_percent is between -10 and 10",
    "bitrate_verdict": "`kept`; `over` above 10 %; `under` below -10 %: the picture needs less than asked",
    "cpu_cores_used": "cpu_seconds / wall_seconds",
    "recommendation": "one or two sentences from the above; a caveat if duration is below 5 s",
}
"""Each output and the rule it follows."""


def analyze(metrics: Mapping[str, object]) -> dict[str, Scalar]:
    """Every output of `RULES`; None where a metric it needs is missing or is no number."""
    speed = _number(metrics, "speed")
    error = _bitrate_error(_number(metrics, "bitrate"), _number(metrics, "bitrate_asked"))
    cpu, wall = _number(metrics, "cpu_seconds"), _number(metrics, "wall_seconds")
    verdict = None if error is None else _verdict(error)
    # Not floor(speed x 0.8) as it stands: 1.25 x 0.8 must be 1, whatever binary fractions make of it.
    streams = None if speed is None else math.floor(round(speed * (1 - HEADROOM), 9))
    return {
        "realtime": None if speed is None else speed >= 1,
        "realtime_streams": streams,
        "bitrate_error_percent": None if error is None else round(error, 2),
        "bitrate_kept": None if verdict is None else verdict == "kept",
        "bitrate_verdict": verdict,
        "cpu_cores_used": round(cpu / wall, 2) if cpu is not None and wall else None,
        "recommendation": _recommendation(speed, streams, verdict, error, _number(metrics, "duration")),
    }


def _number(metrics: Mapping[str, object], name: str) -> float | None:
    value = metrics.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MAX else None


def _bitrate_error(reached: float | None, asked: float | None) -> float | None:
    return (reached - asked) / asked * 100 if reached is not None and asked else None


def _verdict(error: float) -> str:
    if abs(error) <= TOLERANCE:
        return "kept"
    return "over" if error > 0 else "under"


def _recommendation(
    speed: float | None,
    streams: int | None,
    verdict: str | None,
    error: float | None,
    duration: float | None,
) -> str | None:
    sentences = []
    if speed is not None and streams is not None:
        if speed < 1:
            sentences.append(
                f"At {speed:.2f} x real time this node is too slow for this encode live; "
                "use a faster preset, a smaller picture or a faster node."
            )
        elif streams < 1:
            sentences.append(
                f"At {speed:.2f} x real time this node keeps up live, but with less than 20 % to spare."
            )
        else:
            count = "one such stream" if streams == 1 else f"{streams} such streams"
            sentences.append(f"This node carries {count} live with 20 % to spare.")
    if verdict == "over":
        sentences.append(
            f"The bitrate is {error:.0f} % above what was asked; give the rate control a longer clip "
            "or a slower preset."
        )
    elif verdict == "under" and error is not None:
        sentences.append(
            f"The picture needs {-error:.0f} % less than the bitrate asked; "
            "a lower one gives the same quality."
        )
    if sentences and duration is not None and duration < SHORT:
        sentences.append(f"But {duration:.3g} s of video are too short to be sure.")
    return " ".join(sentences) or None
