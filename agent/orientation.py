"""How a picture is shown, from the matrix that its file has of that (ISO/IEC 14496-12, 6.2.2). Pure."""

from __future__ import annotations

import struct

_ROWS = struct.Struct("=5i")
"""The first row, of which the third number is for perspective, and how the second row begins."""


def is_mirrored(matrix: bytes) -> bool:
    """Whether it shows the picture as a mirror does, besides turning it. No matrix, or half of one: no."""
    if len(matrix) < _ROWS.size:
        return False
    a, b, _, c, d = _ROWS.unpack_from(matrix)
    return bool(a * d - b * c < 0)
