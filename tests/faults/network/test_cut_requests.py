"""A request that is cut in the middle changes nothing, and the master goes on."""

from __future__ import annotations

import pytest
import requests

from tests.api.corner import kept
from tests.api.routes import api_routes
from tests.faults.network.cases import CASES, World, send
from tests.faults.proxy import Proxy
from tests.masters import Client

HEAD, BODY = 0, 1
"""The client sends each as a TLS record of its own."""


@pytest.mark.parametrize("endpoint", api_routes())
def test_half_a_request_is_none(endpoint: str, client: Client, direct: Client, proxy: Proxy) -> None:
    sent = CASES[endpoint].make(World(direct))
    before = kept(direct)
    for part in (HEAD,) if sent.json is None else (HEAD, BODY):
        assert client.get("/health").ok  # the connection is open
        with proxy.fault(cut=part), pytest.raises(requests.ConnectionError):
            send(client, endpoint, sent)
        assert kept(direct) == before
    assert proxy.cuts == part + 1
    # Sent whole, it is taken as if it came for the first time.
    assert send(client, endpoint, sent).ok
