"""A reply lost after its request was carried out: the same request again changes nothing more."""

from __future__ import annotations

import pytest
import requests

from tests.api.corner import kept
from tests.api.routes import api_routes
from tests.faults.network.cases import CASES, World, send
from tests.faults.proxy import Proxy
from tests.masters import Client


def test_every_route_has_a_case() -> None:
    assert api_routes().keys() <= CASES.keys()


# Their secrets are told once: asked again, the master can only make others.
SECRETS = {"tokens.create", "webhooks.create", "webhooks.rotate"}


@pytest.mark.parametrize("endpoint", [name for name in api_routes() if name not in SECRETS])
def test_the_repeat_leaves_all_as_the_first_has_made_it(
    endpoint: str, client: Client, direct: Client, proxy: Proxy
) -> None:
    case = CASES[endpoint]
    sent = case.make(World(direct))
    before = kept(direct)
    with proxy.fault(lose_replies=True), pytest.raises(requests.ConnectionError):
        send(client, endpoint, sent)
    assert proxy.lost_replies == 1
    once = kept(direct)
    assert (once != before) is case.changes
    answer = send(client, endpoint, sent)
    assert answer.status_code in case.again, answer.text
    assert kept(direct) == once
