"""Each master shows the load of nodes, whichever of them they told it."""

from __future__ import annotations

from common.model import Load
from master.service import nodes
from tests.core.support import OPERATOR, FakeClock, register
from tests.store.postgresql.conftest import Masters


def test_what_was_told_to_several_is_shown_by_each_in_order(masters: Masters, clock: FakeClock) -> None:
    farms = masters(2)
    node_id = register(farms[0])
    for number in range(4):
        nodes.heartbeat(farms[number % 2], OPERATOR, node_id, None, load=Load(cpu=number / 10))
        clock.advance(30)
    for farm in farms:
        assert nodes.get(farm, node_id).load == Load(cpu=0.3)
        _, _, _, samples = nodes.recent(farm, node_id)
        assert [taken.load.cpu for taken in samples] == [0.0, 0.1, 0.2, 0.3]
        assert samples[-1].mono - samples[0].mono == 90
