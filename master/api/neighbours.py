"""What agents and masters tell each other in headers, so that neighbouring versions get along.

A header that the other side does not know is ignored, where a field would be refused.
"""

from __future__ import annotations

from common import problems
from common.client import HISTORY_HEADER, INSTANCE_HEADER, PROTOCOL_HEADER, REPLACES_HEADER
from common.history import History, parse_history
from common.version import PROTOCOL, VERSION
from master.api.exchange import Exchange, key_of
from master.service import Caller, Farm
from master.service.queue import compare_histories

_HISTORY, _INSTANCE, _PROTOCOL, _REPLACES = map(
    key_of, (HISTORY_HEADER, INSTANCE_HEADER, PROTOCOL_HEADER, REPLACES_HEADER)
)
_MOST = 2**53
"""No protocol is higher."""


def introduce(exchange: Exchange) -> Caller:
    """The caller of a request, with what it says of itself; `protocol_mismatch` if it is no neighbour.

    What it was told before is compared with what this master knows.
    """
    said = exchange.environ
    protocol = _protocol(said.get(_PROTOCOL))
    if protocol is not None and abs(protocol - PROTOCOL) > 1:
        older, newer = ("it", "this master") if protocol < PROTOCOL else ("this master", "it")
        raise problems.PROTOCOL_MISMATCH(
            f"The caller speaks protocol {protocol}, this master (version {VERSION}) {PROTOCOL}, which goes "
            f"with {PROTOCOL - 1} to {PROTOCOL + 1}: {older} is too old for {newer}. Update {older}.",
            protocol=PROTOCOL,
        )
    known = exchange.caller.introduced(
        said.get(_INSTANCE),
        said.get(_REPLACES),
        protocol,
        parse_history(said.get(_HISTORY)),
        exchange.request_id,
    )
    compare_histories(exchange.farm, known)
    return known


def history_header(farm: Farm) -> tuple[str, str]:
    """Says with every answer how long the history on disk is."""
    return HISTORY_HEADER, History(farm.store.history, farm.start).header()


def _protocol(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= _MOST):
        raise problems.invalid_field(PROTOCOL_HEADER, "Must be a whole number.")
    return int(text)
