"""`GET /nodes` and `GET /nodes/{id}` show nodes as the guide does."""

from __future__ import annotations

from common import problems
from common.tokens import hash_secret
from tests.api.corner import TIMESTAMP, Corner, got, refused
from tests.masters import Client

GUIDE_FIELDS = [
    "id",
    "address",
    "type",
    "cpu_threads",
    "cpu_model",
    "has_gpu",
    "ram_bytes",
    "labels",
    "status",
    "last_heartbeat",
    "registered_at",
]


def test_a_node_begins_with_the_guides_fields_in_its_order(corner: Corner) -> None:
    node = corner.node(corner.register()["id"])
    assert list(node)[: len(GUIDE_FIELDS)] == GUIDE_FIELDS


def test_times_are_utc_to_the_second(corner: Corner) -> None:
    node = corner.node(corner.register()["id"])
    assert TIMESTAMP.fullmatch(node["last_heartbeat"])
    assert TIMESTAMP.fullmatch(node["registered_at"])


def test_the_list_has_every_node_in_the_order_of_registration_and_counts_them(corner: Corner) -> None:
    registered = [corner.register(address=f"worker-{n}")["id"] for n in range(3)]
    answer = got(corner.client.get("/nodes"))
    assert list(answer) == ["nodes", "count"]
    assert answer["count"] == len(answer["nodes"])
    assert [node["id"] for node in answer["nodes"]][-3:] == registered


def test_the_list_shows_a_node_as_it_is_shown_alone(corner: Corner) -> None:
    node_id = corner.register()["id"]
    listed = got(corner.client.get("/nodes"))["nodes"]
    assert next(node for node in listed if node["id"] == node_id) == corner.node(node_id)


def test_a_node_with_all_its_slots_taken_is_busy(corner: Corner) -> None:
    node, _ = corner.start()
    node = corner.node(node["id"])
    assert (node["status"], node["running_jobs"]) == ("busy", 1)


def test_a_credential_is_never_shown(corner: Corner) -> None:
    secret = "c" * 40
    node = corner.register(credential=secret)
    shown = f"{node}{corner.client.get('/nodes').text}"
    assert secret not in shown
    assert hash_secret(secret) not in shown


def test_an_unknown_node_is_not_found(client: Client) -> None:
    assert "'nobody'" in refused(client.get("/nodes/nobody"), problems.UNKNOWN_NODE)["detail"]
