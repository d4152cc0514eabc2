"""Jobs that asked for the same are repeats of one measurement; what differs is never mixed."""

from __future__ import annotations

from typing import Any

import pytest

from master.operator.report.groups import Point, overall, points
from master.operator.report.quantities import COST, CPU, ENERGY, QUALITIES, SPEED
from master.operator.report.runs import run
from tests.report.invented import record


def grouped(*changes: dict[str, Any], by_node: bool = True) -> list[Point]:
    records = [record(job_id=str(n), **change) for n, change in enumerate(changes)]
    return points([run(r) for r in records], by_node=by_node)


def test_the_same_job_three_times_is_one_point_with_three_values() -> None:
    (point,) = grouped(*({"metrics": {"speed": s}} for s in (1.0, 2.0, 3.0)))
    speed = point.value(SPEED)
    assert speed is not None
    assert (point.jobs, speed.n, speed.mean) == (3, 3, 2.0)
    assert [speed.low, speed.high] == pytest.approx([-0.484, 4.484], abs=0.01)


@pytest.mark.parametrize(
    "other",
    [
        {"parameters": {"preset": "slow"}},
        {"parameters": {"crf": 23}},
        {"parameters": {"bitrate": "900k"}},
        {"parameters": {"gop": 30}},
        {"parameters": {"width": 640}},
        {"parameters": {"content": "noise"}},
        {"parameters": {"duration": 3}},
        {"input": "media:films/a.mkv"},
        {"node": "worker-2"},
        {"scenario": "720p30-h265"},
        {"metrics": {"encoder": "h264_nvenc"}},
    ],
    ids=str,
)
def test_what_asks_for_something_else_or_ran_elsewhere_is_another_point(other: dict[str, Any]) -> None:
    assert len(grouped({}, other)) == 2


def test_scenarios_that_show_the_same_picture_in_two_codecs_are_one_clip() -> None:
    found = grouped({"scenario": "720p30-h264"}, {"scenario": "720p30-h265"})
    assert {p.clip for p in found} == {"synthetic test, 1280×720, 30 fps, 10 s"}
    assert {p.series.codec for p in found} == {"h264", "h265"}


def test_where_an_encode_ran_does_not_change_its_bits() -> None:
    assert len(grouped({}, {"node": "worker-2"}, by_node=False)) == 1


def test_a_list_is_the_same_from_memory_and_from_an_archive() -> None:
    (point,) = grouped(*({"parameters": {"ladder": made(("240p", "144p"))}} for made in (tuple, list)))
    assert point.series.other == "ladder=240p 144p"


def test_asking_to_measure_does_not_change_the_encode() -> None:
    assert len(grouped({}, {"parameters": {"quality": ["vmaf"], "energy": True}})) == 1


def test_a_job_that_encoded_several_times_counts_with_each_encode() -> None:
    repeats = [{"speed": s, "cpu_seconds": 20.0, "energy_joules": 30.0} for s in (2.0, 2.2, 2.4)]
    metrics = {"speed": 2.2, "duration": 10.0, "vmaf_mean": 95.0, "runs": 3, "cpu_seconds": 20.0}
    (point,) = grouped({"metrics": metrics, "repeats": repeats})
    speed, cpu, energy, vmaf = (point.value(q) for q in (SPEED, CPU, ENERGY, QUALITIES[0]))
    assert speed is not None
    assert cpu is not None
    assert energy is not None
    assert vmaf is not None
    assert (point.jobs, speed.n) == (1, 3)
    assert speed.mean == pytest.approx(2.2)
    assert (cpu.mean, energy.mean, energy.n) == (2.0, 3.0, 3)
    assert vmaf.n == 1


def test_an_interval_that_the_node_made_is_told_with_its_n() -> None:
    (point,) = grouped({"metrics": {"speed": 2.0, "runs": 5, "speed_low": 1.9, "speed_high": 2.1}})
    speed = point.value(SPEED)
    assert speed is not None
    assert (speed.n, speed.low, speed.high) == (5, 1.9, 2.1)


def test_what_nobody_measured_is_missing_and_not_zero() -> None:
    (point,) = grouped({"metrics": {"speed": None, "energy_joules": 5.0, "duration": None}})
    assert point.values == {}


def test_an_amount_in_two_currencies_is_no_amount() -> None:
    money = {"cost": 1.0, "duration": 10.0}
    runs = [
        run(record(job_id=c, metrics={**money, "currency": c}, parameters={"bitrate": b}))
        for c, b in (("EUR", "1M"), ("USD", "2M"))
    ]
    assert [p.value(COST) for p in overall(runs)] == [None]
    assert [p.value(COST) is not None for p in points(runs, by_node=True)] == [True, True]


def test_a_scenario_that_is_gone_is_told_by_what_was_measured() -> None:
    (point,) = grouped({"scenario": "8K-h266", "metrics": {"codec": "h266", "width": 7680, "height": 4320}})
    assert (point.clip, point.series.codec, point.rate) == ("synthetic test, 7680×4320", "h266", "")
