"""What a decoded picture says of its colours, in ffmpeg's words. Pure; believes nothing."""

from __future__ import annotations

import struct

from common.source import Colour, ContentLight, MasteringDisplay

_PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    10: "smpte428",
    11: "smpte431",
    12: "smpte432",
}
"""ITU-T H.273, table 2; the next two are its tables 3 and 4."""
_TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    17: "smpte428",
    18: "arib-std-b67",
}
_MATRICES = {
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    9: "bt2020nc",
    10: "bt2020c",
}
_RANGES = {1: "tv", 2: "pc"}
_MOST_LIGHT = 10_000
"""cd/m²: the end of PQ's scale."""


def colour(primaries: int, transfer: int, matrix: int, range_: int) -> Colour:
    """From libav's numbers, which are those of H.273; what is none of these is unknown."""
    return Colour(
        _PRIMARIES.get(primaries), _TRANSFERS.get(transfer), _MATRICES.get(matrix), _RANGES.get(range_)
    )


def mastering_display(data: bytes) -> MasteringDisplay | None:
    """From libav's AVMasteringDisplayMetadata: ten fractions, and whether they are there."""
    if len(data) < 88:
        return None
    *numbers, primaries, luminance = struct.unpack_from("=20i2i", data)
    values = [_fraction(*numbers[i : i + 2]) for i in range(0, 20, 2)]
    if not primaries or not luminance or any(value is None for value in values):
        return None
    rx, ry, gx, gy, bx, by, wx, wy, least, most = [value or 0.0 for value in values]
    if max(rx, ry, gx, gy, bx, by, wx, wy) > 1 or not least <= most <= _MOST_LIGHT:
        return None
    return MasteringDisplay((rx, ry), (gx, gy), (bx, by), (wx, wy), least, most)


def content_light(data: bytes) -> ContentLight | None:
    """From libav's AVContentLightMetadata: two whole numbers."""
    if len(data) < 8:
        return None
    most, average = struct.unpack_from("=2I", data)
    return ContentLight(most, average) if max(most, average) <= _MOST_LIGHT else None


def _fraction(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator > 0 and numerator >= 0 else None
