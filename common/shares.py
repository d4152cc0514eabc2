"""How a bitrate over a whole file is shared among its chunks. Pure, the same on all nodes."""

from __future__ import annotations

from collections.abc import Sequence

LEAST, MOST = 0.05, 1.4
"""Of the whole file's bitrate, that a chunk gets: the buffer that bounds peaks takes 1.5 (`maxrate`)."""


def shares(hardness: Sequence[float], durations: Sequence[float], bitrate: float) -> tuple[float, ...]:
    """Bits per second for each chunk, whose mean over the time is `bitrate`.

    `hardness`: in any unit, the same for all, such as bits at one quantizer: two passes over a whole file
    give bits in this proportion. `durations`: seconds. What is beyond LEAST or MOST is shared by the others.
    ValueError without chunks, or if one lasts no time.
    """
    if not durations or len(hardness) != len(durations) or min(durations) <= 0:
        raise ValueError("each chunk has a hardness, and lasts some time")
    wanted = [max(each, 0.0) / seconds for each, seconds in zip(hardness, durations, strict=True)]
    if not any(wanted):
        return (bitrate,) * len(durations)
    low, high = 0.0, bitrate * MOST / min(each for each in wanted if each > 0)
    target = bitrate * sum(durations)
    for _ in range(200):  # halved until no float lies between
        factor = (low + high) / 2
        given = [min(max(each * factor, bitrate * LEAST), bitrate * MOST) for each in wanted]
        if sum(rate * seconds for rate, seconds in zip(given, durations, strict=True)) < target:
            low = factor
        else:
            high = factor
    exact = target / sum(rate * seconds for rate, seconds in zip(given, durations, strict=True))
    return tuple(rate * exact for rate in given)
