"""Whether one encode is to be spread over machines, as its parameter `split` says."""

from __future__ import annotations

from collections.abc import Mapping

from common.model import Value

LEAST_CHUNKS, MOST_CHUNKS = 2, 500
"""How many chunks may be asked for."""


def asked(parameters: Mapping[str, Value]) -> int | None:
    """About how many chunks are asked for; 0: as many as are good (`auto`); None: it is encoded whole."""
    split = parameters.get("split", "off")
    if split == "auto":
        return 0
    return split if isinstance(split, int) and not isinstance(split, bool) else None
