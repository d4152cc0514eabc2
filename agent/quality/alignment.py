"""Whether the frames of an output and of its source are the same ones, in the same order. Pure."""

from __future__ import annotations

from collections.abc import Sequence

TOLERANCE = 0.002
"""Seconds that a frame's time may be off: Matroska rounds to a thousandth, on both sides.
Even at 240 frames a second that is less than half of a frame's time."""


def misaligned(
    output: Sequence[float], reference: Sequence[float], pairs: Sequence[int], counted: int | None
) -> str | None:
    """A sentence that says why frame n of one need not be frame n of the other; None if it is.

    The times are seconds; where each side begins does not matter. `pairs`: how many frames each
    method compared; `counted`: how many the probe of the output found (None: it was not probed).
    """
    if not output:
        return "the output has no frame that can be decoded"
    if counted is not None and len(output) != counted:
        return f"{len(output)} frames of the output can be decoded, and it has {counted}"
    if len(output) != len(reference):
        return f"the output has {len(output)} frames, and the source {len(reference)} for them"
    for number, (shown, meant) in enumerate(zip(output, reference, strict=True)):
        late = (shown - output[0]) - (meant - reference[0])
        if abs(late) > TOLERANCE:
            when = "late" if late > 0 else "early"
            return f"frame {number} of the output is {abs(late):.3f} s too {when}"
    if any(count != len(output) for count in pairs):
        return f"{min(pairs)} frames were compared, and there are {len(output)}"
    return None
