"""Pixel formats, by what their names say, and the one that two are compared in. Pure."""

from __future__ import annotations

import re

_DEPTH = re.compile(r"(?:p|gray|y|x2rgb|x2bgr)0?(9|10|12|14|16)(?:le|be)?$", re.ASCII)
_DEEP_RGB = re.compile(r"(?:rgb|bgr)a?(48|64)(?:le|be)?$", re.ASCII)
_CHROMA = ("420", "422", "444")
_MOST_DEPTH = 12
"""Bits. All that compares takes this much; deeper pictures are dithered by nobody's encoder here."""


def depth(pixel_format: str | None) -> int:
    """Bits of each sample; 8 where the name says nothing."""
    name = pixel_format or ""
    found = _DEPTH.search(name)
    if found:
        return int(found[1])
    return 16 if _DEEP_RGB.search(name) else 8


def chroma(pixel_format: str | None) -> str:
    """`420`, `422` or `444`: what keeps all of its colour."""
    name = pixel_format or ""
    for found in _CHROMA:
        if found in name:
            return found
    if name.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal", "x2", "yuv440")):
        return "444"
    return "422" if name.startswith(("uyvy", "yuyv", "yvyu", "yuv411", "y21", "p21")) else "420"


def common_format(one: str | None, other: str | None) -> tuple[str, int]:
    """The format in which neither loses depth or colour, and its depth: 8, 10 or 12 bits."""
    deepest = min(max(depth(one), depth(other)), _MOST_DEPTH)
    bits = 8 if deepest == 8 else 10 if deepest <= 10 else _MOST_DEPTH
    name = f"yuv{max(chroma(one), chroma(other))}p"
    return (name if bits == 8 else f"{name}{bits}le"), bits
