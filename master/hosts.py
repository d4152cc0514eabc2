"""By which names the master may be called: pure.

A web page whose name leads to the master's address (DNS rebinding) is same-origin to the browser,
but its requests carry its own name in `Host`. So a name must be one of ours. An address is no name,
and cannot be rebound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.ip import is_address

_PORT = re.compile(r":[0-9]{1,5}\Z", re.ASCII)


class Hosts:
    """The names of this master."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.learn(names)

    def learn(self, names: Iterable[str]) -> None:
        """These are its names from now on, and `localhost`; `*.example.com` stands for one more label."""
        self._names = frozenset(name.lower().rstrip(".") for name in names) | {"localhost"}

    def knows(self, host: str) -> bool:
        """Whether a `Host` header (with or without port) names this master, or an address."""
        name = _PORT.sub("", host).lower().removesuffix(".")
        if name in self._names:
            return True
        _, dot, parent = name.partition(".")
        if dot and f"*.{parent}" in self._names:
            return True
        return is_address(name[1:-1] if name.startswith("[") and name.endswith("]") else name)
