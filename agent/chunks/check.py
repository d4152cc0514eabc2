"""Whether a chunk is what its window says: only then it can be joined with others. Pure."""

from __future__ import annotations

from fractions import Fraction

from agent.probed import Counted
from common.model import Window
from common.settings import EncodeSettings


def asked(window: Window) -> list[int]:
    """The frames of the file that matter: its first, and the first wanted one."""
    return [0, window.first - window.lead]


def wrong(counted: Counted, window: Window, settings: EncodeSettings) -> str | None:
    """A sentence that says in what it differs; None if it does not."""
    frames = window.end - window.lead
    if counted.frames != frames or counted.probe.frames != frames:
        return (
            f"the chunk has {counted.probe.frames} frames, {counted.frames} of them at a time of their own, "
            f"instead of {frames}"
        )
    probe = counted.probe
    found = (probe.pixel_format or "unknown").replace("yuvj", "yuv")
    for name, is_, meant in (
        ("the size", f"{probe.width}x{probe.height}", f"{settings.width}x{settings.height}"),
        ("the codec", probe.codec, settings.codec),
        ("the pixel format", found, settings.pixel_format),
    ):
        if is_ != meant:
            return f"{name} of the chunk is {is_} instead of {meant}"
    return _times(counted, window)


def _times(counted: Counted, window: Window) -> str | None:
    first, _, lead = window.ticks
    for number, shown, tick, cut in zip(
        asked(window), counted.shown, (lead, first), counted.cut, strict=True
    ):
        time = shown * Fraction(*counted.time_base)
        if time != (tick - lead) * Fraction(*window.time_base):
            return f"frame {number} of the chunk is shown at {float(time):.6f} s instead of " + (
                f"{float((tick - lead) * Fraction(*window.time_base)):.6f} s"
            )
        if not cut:
            return f"frame {number} of the chunk is no key frame with which pictures begin anew"
    return None
