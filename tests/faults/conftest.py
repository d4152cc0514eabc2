"""What all faults need: a farm of real masters and agents, and proxies in front of masters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.faults.proxy import Proxy
from tests.system.conftest import farm as farm  # the same farms, for other faults


@pytest.fixture
def open_proxy() -> Iterator[Callable[[int], Proxy]]:
    """Opens proxies in front of the ports it is given."""
    opened: list[Proxy] = []

    def make(target: int) -> Proxy:
        opened.append(Proxy(target))
        return opened[-1]

    yield make
    for proxy in opened:
        proxy.close()
