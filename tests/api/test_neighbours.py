"""Agents and masters of neighbouring protocols work together; others are refused, and told who is too old."""

from __future__ import annotations

import pytest

from common import problems
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused, refused_fields


@pytest.mark.parametrize("protocol", [PROTOCOL - 1, PROTOCOL, PROTOCOL + 1])
def test_neighbours_are_taken(corner: Corner, protocol: int) -> None:
    headers = {"Ffrtmp-Protocol": str(protocol)}
    got(corner.client.post("/nodes/register", json={"address": "n"}, headers=headers), 201)


@pytest.mark.parametrize(
    ("protocol", "advice"),
    [(PROTOCOL - 2, "Update it."), (PROTOCOL + 2, "Update this master.")],
)
def test_others_are_refused_and_told_what_to_update(corner: Corner, protocol: int, advice: str) -> None:
    headers = {"Ffrtmp-Protocol": str(protocol)}
    before = got(corner.client.get("/nodes"))["count"]
    answer = corner.client.post("/nodes/register", json={"address": "n"}, headers=headers)
    body = refused(answer, problems.PROTOCOL_MISMATCH)
    assert f"speaks protocol {protocol}, this master" in body["detail"]
    assert body["detail"].endswith(advice)
    assert body["protocol"] == PROTOCOL
    assert got(corner.client.get("/nodes"))["count"] == before


def test_what_a_newer_neighbour_says_beyond_our_words_is_not_for_us(corner: Corner) -> None:
    sent = {"address": "n", "colour": "red"}
    newer = {"Ffrtmp-Protocol": str(PROTOCOL + 1)}
    got(corner.client.post("/nodes/register", json=sent, headers=newer), 201)
    same = {"Ffrtmp-Protocol": str(PROTOCOL)}
    assert refused_fields(corner.client.post("/nodes/register", json=sent, headers=same)) == ["colour"]
    assert refused_fields(corner.client.post("/nodes/register", json=sent)) == ["colour"]


@pytest.mark.parametrize("value", ["x", "-1", "1.5", "", "99999999999999999999"])
def test_a_protocol_that_is_no_number_is_refused(corner: Corner, value: str) -> None:
    answer = corner.client.get("/nodes", headers={"Ffrtmp-Protocol": value})
    assert refused_fields(answer) == ["Ffrtmp-Protocol"]


@pytest.mark.parametrize(
    "value", ["x", "", "9007199254740992.x", "9999999999999999.x", "99999999999999999999.x"]
)
def test_a_history_that_no_master_has_told_is_ignored(corner: Corner, value: str) -> None:
    before = corner.client.get("/health").headers["Ffrtmp-History"]
    got(corner.client.get("/nodes", headers={"Ffrtmp-History": value}))
    assert corner.client.get("/health").headers["Ffrtmp-History"] == before


def test_a_node_that_nobody_approved_cannot_rewind_the_history(corner: Corner) -> None:
    stranger = {"Authorization": "Bearer " + "c" * 43}
    sent = {"address": "far", "credential": "c" * 43}
    node = got(corner.client.post("/nodes/register", json=sent, headers=stranger), 201)
    before = corner.client.get("/health").headers["Ffrtmp-History"]
    headers = {**stranger, "Ffrtmp-History": "99999.bogus"}
    got(corner.client.post(f"/nodes/{node['id']}/heartbeat", headers=headers))
    assert corner.client.get("/health").headers["Ffrtmp-History"] == before


def test_every_answer_says_how_long_the_history_is_and_it_only_grows(corner: Corner) -> None:
    def told() -> int:
        return int(corner.client.get("/health").headers["Ffrtmp-History"].partition(".")[0])

    before = told()
    corner.submit()
    assert told() == before + 1
    assert told() == before + 1


def test_of_two_agents_with_one_identity_the_second_is_refused(corner: Corner) -> None:
    def agent(instance: str) -> dict[str, str]:
        return {"Ffrtmp-Protocol": str(PROTOCOL), "Ffrtmp-Instance": instance}

    sent = {"address": "n", "id": corner.labels["corner"]}
    first = got(
        corner.client.post("/nodes/register", json={**sent, "instance": "one"}, headers=agent("one")), 201
    )
    second = corner.client.post("/nodes/register", json={**sent, "instance": "two"}, headers=agent("two"))
    assert "start it with another --state-dir" in refused(second, problems.IDENTITY_IN_USE)["detail"]
    path = f"/nodes/{first['id']}/heartbeat"
    refused(corner.client.post(path, headers=agent("two")), problems.IDENTITY_IN_USE)
    got(corner.client.post(path, headers=agent("one")))
    replacing = {**agent("two"), "Ffrtmp-Replaces": "one"}
    got(corner.client.post("/nodes/register", json={**sent, "instance": "two"}, headers=replacing), 201)
    refused(corner.client.post(path, headers=agent("one")), problems.IDENTITY_IN_USE)
