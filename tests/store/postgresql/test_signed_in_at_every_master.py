"""A person who signs in at one master is signed in at all, and out at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from common.model import Role
from master.app import create_app
from master.auth import Gate
from master.hosts import Hosts
from master.service import Farm, tokens
from master.sessions import COOKIE
from tests.core.support import OPERATOR
from tests.store.postgresql.conftest import Masters

TOKEN = "t" * 43
OURS = {"Sec-Fetch-Site": "same-origin", "Host": "localhost"}
FOREIGN = {"Sec-Fetch-Site": "cross-site", "Host": "localhost"}


class Site:
    """One master, as a browser meets it behind a balancer: it keeps no cookies of its own."""

    def __init__(self, farm: Farm) -> None:
        gate = Gate(farm.store, TOKEN, farm.clock, local_door=False)
        self.client: FlaskClient = create_app(farm, gate, Hosts()).test_client(use_cookies=False)

    def sign_in(self, token: str) -> str:
        """The cookie."""
        answer = self.client.post("/sign-in", data={"token": token}, headers=OURS)
        assert answer.status_code == 303
        return answer.headers["Set-Cookie"].split(";")[0]

    def get(self, cookie: str, path: str = "/jobs") -> TestResponse:
        return self.client.get(path, headers={**OURS, "Cookie": cookie})

    def post(self, cookie: str, path: str, headers: dict[str, str], **what: Any) -> TestResponse:
        return self.client.post(path, headers={**headers, "Cookie": cookie}, **what)


@pytest.fixture
def farms(masters: Masters) -> list[Farm]:
    return masters(2)


@pytest.fixture
def sites(farms: list[Farm]) -> list[Site]:
    return [Site(farm) for farm in farms]


def test_who_signs_in_at_one_is_known_at_the_other(sites: list[Site]) -> None:
    cookie = sites[0].sign_in(TOKEN)
    assert cookie.startswith(f"{COOKIE}=")
    assert [site.get(cookie).status_code for site in sites] == [200, 200]
    assert "Sign out" in sites[1].get(cookie, "/").text


def test_forms_are_taken_at_the_other_but_not_from_pages_of_other_sites(sites: list[Site]) -> None:
    cookie = sites[0].sign_in(TOKEN)
    form = {"scenario": "720p-h264"}
    assert sites[1].post(cookie, "/jobs", OURS, json=form).status_code == 201
    assert sites[1].post(cookie, "/jobs", FOREIGN, json=form).status_code == 403


def test_who_signs_out_at_one_is_out_at_the_other(sites: list[Site]) -> None:
    cookie = sites[0].sign_in(TOKEN)
    assert sites[1].post(cookie, "/sign-out", OURS).status_code == 303
    assert [site.get(cookie).status_code for site in sites] == [401, 401]


def test_a_session_ends_when_its_token_is_revoked_at_another_master(
    farms: list[Farm], sites: list[Site]
) -> None:
    made = tokens.create(farms[0], OPERATOR, {"role": Role.VIEWER, "name": "amy", "ttl": None, "once": False})
    cookie = sites[0].sign_in(made[1])
    assert sites[1].get(cookie).status_code == 200
    tokens.revoke(farms[0], OPERATOR, made[0].id)
    assert [site.get(cookie).status_code for site in sites] == [401, 401]


def test_it_outlives_the_master_where_it_began(masters: Masters, tmp_path: Path) -> None:
    first, second = masters(2)
    cookie = Site(first).sign_in(TOKEN)
    first.store.close()
    assert Site(second).get(cookie).status_code == 200
