"""What is the same for all requests: who may come in, and what is said with every answer."""

from __future__ import annotations

from common.model import Role
from common.request_ids import REQUEST_ID_HEADER
from master.api import browsers, neighbours
from master.api.exchange import Exchange
from master.api.request_ids import log_end
from master.auth import Gate
from master.hosts import Hosts
from master.service import Farm
from master.worker.admission import KNOWN_CALLER

Headers = list[tuple[str, str]]
"""As WSGI has them."""


class Front:
    """See the module."""

    def __init__(self, farm: Farm, gate: Gate, hosts: Hosts) -> None:
        """Of `farm`, under the names in `hosts`, for those whom `gate` admits."""
        self._farm = farm
        self._gate = gate
        self._hosts = hosts

    def admit(self, exchange: Exchange) -> None:
        """Find out who asks, and let it in, or raise the problem that says why not."""
        environ, endpoint = exchange.environ, exchange.endpoint
        if endpoint is None:
            browsers.refuse_strange_hosts(self._hosts, environ, exchange.caller)
            return
        who = exchange.caller = self._gate.identify(environ, endpoint)
        browsers.refuse_strange_hosts(self._hosts, environ, who)
        browsers.refuse_other_sites(environ)
        environ[KNOWN_CALLER] = who.role is not Role.ANYONE
        self._gate.admit(who, endpoint)
        exchange.caller = neighbours.introduce(exchange)

    def end(self, exchange: Exchange, status: str, headers: Headers) -> Headers:
        """The head of an answer is made: what it says besides; the request is timed and logged."""
        code = int(status[:3])
        took = exchange.took()
        self._farm.measures.answered(exchange.template, exchange.environ["REQUEST_METHOD"], code, took)
        log_end(exchange, code, took)
        return [
            *browsers.secure(headers),
            (REQUEST_ID_HEADER, exchange.request_id),
            neighbours.history_header(self._farm),
        ]
