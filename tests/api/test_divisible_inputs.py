"""`POST /results` takes what a plan found of an input, and nothing that contradicts itself."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from common import problems
from common.model import MOST_CUTS
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused, refused_fields
from tests.masters import Client

FILE = f"file:{'a' * 64}"
Document = dict[str, Any]
FILM: Document = {"scenario": "720p-h264", "input": "media:films/a.mp4"}


def divisible() -> Document:
    cuts = [
        {
            "frame": n,
            "tick": 10 * n,
            "lead": [max(0, n - 12), max(0, 10 * n - 120)],
            "seek": n / 25,
            "scene": 0.5,
            "work": 1000,
        }
        for n in range(0, 1000, 25)
    ]
    return {
        "reason": None,
        "frames": 1000,
        "end": 10_000,
        "time_base": [1, 250],
        "cuts": cuts,
        "source": '{"width": 320}',
        "input": None,
        "others": True,
    }


def planning(corner: Corner) -> Document:
    """A job whose plan a node was given."""
    root = corner.labels["corner"]  # which no other node has
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)}, media_roots=[root])
    corner.submit(input=f"media:{root}/a.mp4", parameters={"split": 4, "crf": 23})
    claimed: Document = corner.poll(node["id"])["job"]
    assert (claimed["stage"], claimed["hand_on"]) == ("plan", True)
    return claimed


def change(path: list[Any], value: Any) -> Callable[[Document], None]:
    def make(document: Document) -> None:
        place: Any = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return make


CONTRADICTIONS: dict[str, tuple[str, Callable[[Document], None]]] = {
    "a reason and cuts": ("cuts", change(["reason"], "it has no end")),
    "no reason and no cuts": ("cuts", change(["cuts"], [])),
    "no frames": ("cuts", change(["frames"], 0)),
    "the first is not frame 0": ("cuts.0", lambda d: d["cuts"].pop(0)),
    "frames that go back": ("cuts.3", change(["cuts", 3, "frame"], 50)),
    "ticks that stand still": ("cuts.3", change(["cuts", 3, "tick"], 500)),
    "a cut behind the end": ("cuts.39", change(["end"], 9_750)),
    "a lead behind its cut": ("cuts.3", change(["cuts", 3, "lead"], [76, 760])),
    "a lead whose tick is another frame's": ("cuts.3", change(["cuts", 3, "lead"], [74, 760])),
    "a lead before that of the cut before": ("cuts.3", change(["cuts", 3, "lead"], [30, 300])),
    "decoding that begins before it did": ("cuts.3", change(["cuts", 3, "seek"], 0.5)),
    "a scene above 1": ("cuts.3.scene", change(["cuts", 3, "scene"], 1.5)),
    "a negative frame": ("cuts.3.frame", change(["cuts", 3, "frame"], -1)),
    "a tick of no length": ("time_base.0", change(["time_base"], [0, 250])),
    "half a tick's length": ("time_base", change(["time_base"], [1])),
    "an input elsewhere": ("input", change(["input"], "/etc/passwd")),
    "a source that is no JSON": ("source", change(["source"], "width=320")),
    "a source that is too long": ("source", change(["source"], '"' + "a" * 65_536)),
    "a reason without words": ("reason", change(["reason"], "")),
    "something else": ("nodes", change(["nodes"], 3)),
    "too many cuts": ("cuts", lambda d: change(["cuts"], d["cuts"] * (MOST_CUTS // 40 + 1))(d)),
}


def test_a_report_of_cuts_divides_the_job(corner: Corner) -> None:
    claimed = planning(corner)
    got(corner.report(claimed, findings={"divisible": divisible()}))
    found = got(corner.client.get(f"/jobs?parent_id={claimed['id']}"))["jobs"]
    assert sorted(each["part"] for each in found) == [f"chunk-00{n}" for n in range(1, 5)] + ["sound"]
    assert corner.job(claimed["id"])["pending_reason"] == "waits for its parts: 0 of 4 chunks completed"


def test_a_report_of_a_reason_has_it_encoded_whole(corner: Corner) -> None:
    claimed = planning(corner)
    got(corner.report(claimed, findings={"divisible": {"reason": "it has no end"}}))
    again = corner.poll(claimed["node_id"])["job"]
    assert (again["id"], again["stage"], again["attempt"]) == (claimed["id"], "encode", 2)


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_what_contradicts_itself_is_refused_by_name_and_changes_nothing(corner: Corner, name: str) -> None:
    field, wrong = CONTRADICTIONS[name]
    claimed, sent = planning(corner), copy.deepcopy(divisible())
    wrong(sent)
    answer = corner.report(claimed, findings={"divisible": sent})
    assert answer.status_code == 400
    assert {each.removeprefix("findings.divisible.") for each in refused_fields(answer)} == {field}
    assert corner.job(claimed["id"])["status"] == "running"


@pytest.mark.parametrize(
    "job",
    [
        {},
        {"input": "rtmp://live.example.com/app/key", "parameters": {"duration": 5}},
        {"input": "media:films/a.mp4", "output": "rtmp://live.example.com/app/key"},
        {"input": "media:films/a.mp4", "parameters": {"ladder": ["720p"]}},
        {"input": "media:films/a.mp4", "confidence": "low"},
        {"input": "media:films/a.mp4", "parameters": {"energy": True}},
        {"input": "media:films/a.mp4", "parameters": {"hwaccel": "auto"}},
    ],
)
def test_a_split_that_can_mean_nothing_is_refused(corner: Corner, job: Document) -> None:
    parameters = {**job.get("parameters", {}), "split": "auto"}
    sent = {"scenario": "720p-h264", **job, "parameters": parameters}
    assert refused_fields(corner.client.post("/jobs", json=sent)) == ["parameters.split"]
    off = {**sent, "parameters": {**parameters, "split": "off"}}
    got(corner.client.post("/jobs", json=off), 201)


@pytest.mark.parametrize("asked", [2, 2.0, 500, "auto", "off"])
def test_how_many_chunks_may_be_asked_for(client: Client, asked: object) -> None:
    parameters = {"split": asked, "crf": 23}
    job = got(client.post("/jobs", json={**FILM, "parameters": parameters}), 201)
    assert job["parameters"]["split"] == asked
    assert job["stage"] == ("encode" if asked == "off" else "plan")


@pytest.mark.parametrize(
    "asked", [0, 1, -2, 501, 2.5, 1e300, True, None, "", "2", "AUTO", "on", [2], {"n": 2}]
)
def test_other_numbers_and_words_are_refused(client: Client, asked: object) -> None:
    answer = client.post("/jobs", json={**FILM, "parameters": {"split": asked}})
    assert refused_fields(answer) == ["parameters.split"]
    assert "auto, off, or a number of chunks from 2 to 500" in answer.text or asked is None


def test_its_parts_can_neither_be_retried_nor_split_again(corner: Corner) -> None:
    claimed = planning(corner)
    got(corner.report(claimed, findings={"divisible": divisible()}))
    part = got(corner.client.get(f"/jobs?parent_id={claimed['id']}"))["jobs"][0]
    assert "split" not in part["parameters"]
    got(corner.client.post(f"/jobs/{part['id']}/cancel"))
    assert corner.job(claimed["id"])["status"] == "failed"
    refused(corner.client.post(f"/jobs/{part['id']}/retry"), problems.PART_OF_JOB)
    again = got(corner.client.post(f"/jobs/{claimed['id']}/retry"), 201)
    assert (again["stage"], again["parameters"]) == ("plan", {"split": 4, "crf": 23})
