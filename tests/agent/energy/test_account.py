"""An encode's energy: measured, or estimated and labelled so, or null with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.energy.account import Account, Energy, Means, energy_of
from agent.energy.account import Used as Cost
from agent.energy.counters import Found
from agent.energy.idle import Baseline, IdleMeter
from agent.energy.meter import Reading
from agent.energy.model import PowerModel, parse_model
from agent.energy.rapl import find
from common.model import EnergySource
from tests.agent.energy.conftest import FakeJobs, FakeSysfs, move

COUNTED = Reading(20.0, 900.0, EnergySource.RAPL, "counters: package-0")
IDLE = Baseline(10.0, 5, 42.0)
MODEL = PowerModel(idle=8.0, per_core=6.5)


def used(**fields: Any) -> Cost:
    return Cost(**{"encoder": "libx264", "cpu_seconds": 30.0, "wall_seconds": 20.0, **fields})


@pytest.fixture
def means(sysfs: FakeSysfs) -> Means:
    sysfs.zone("intel-rapl:0", "package-0")
    return Means(find(sysfs.root))


def test_what_the_idle_machine_would_have_used_is_taken_off(means: Means) -> None:
    assert energy_of(means, used(), COUNTED, IDLE) == Energy(
        900.0,
        200.0,
        700.0,
        EnergySource.RAPL,
        "counters: package-0; idle: 10 W, the median of 5 stretches of 10 s, "
        "the newest 42 s before the encode",
    )


def test_without_a_baseline_the_total_stands_alone(means: Means) -> None:
    energy = energy_of(means, used(), COUNTED, None)
    assert (energy.joules, energy.idle_joules, energy.net_joules) == (900.0, None, None)
    assert energy.note == "counters: package-0; the idle power has not been measured yet"


def test_a_reading_that_is_none_gives_its_reason(means: Means) -> None:
    lost = Reading(20.0, None, None, "the energy counter package-0 could not be read any more: gone")
    assert energy_of(means, used(), lost, IDLE) == Energy(note=lost.note)


@pytest.mark.parametrize(
    ("others", "known"),
    [(0.0, True), (4.9, True), (5.1, False)],  # a quarter of a core for 20 s is 5 s
)
def test_other_programs_that_did_much_meanwhile_leave_no_energy(
    means: Means, others: float, known: bool
) -> None:
    energy = energy_of(means, used(others_cpu_seconds=others), COUNTED, IDLE)
    assert (energy.joules is not None) is known
    if not known:
        assert energy.note == (
            "other programs on this machine used 5.1 s of CPU time during the encode, "
            "which used 30.0 s itself"
        )


def test_beside_an_encode_on_many_cores_others_may_do_a_tenth(means: Means) -> None:
    many = {"cpu_seconds": 640.0, "others_cpu_seconds": 63.0}
    assert energy_of(means, used(**many), COUNTED, IDLE).joules == 900.0


@pytest.mark.parametrize("counts", [True, False])
def test_an_encode_that_had_company_has_no_energy_by_any_means(means: Means, counts: bool) -> None:
    by = means if counts else Means(model=MODEL)
    energy = energy_of(by, used(disturbed="another job ran on this node"), COUNTED, IDLE)
    assert energy == Energy(note="another job ran on this node", shared="another job ran on this node")


def test_without_a_counter_it_is_null_and_says_why() -> None:
    energy = energy_of(Means(Found(missing="no RAPL here")), used(), None, None)
    assert energy == Energy(note="no RAPL here")


def test_an_estimate_is_called_one_and_shows_its_formula() -> None:
    energy = energy_of(Means(model=MODEL), used(), None, None)
    assert energy == Energy(
        8 * 20 + 6.5 * 30,
        8 * 20,
        6.5 * 30,
        EnergySource.MODEL,
        "estimate, not measured: (8 W + 6.5 W x 1.500 busy cores) x 20.000 s, "
        "by the power model of this node",
    )


def test_a_counter_is_preferred_to_an_estimate(sysfs: FakeSysfs) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    means = Means(find(sysfs.root), model=MODEL)
    assert means.source == "rapl"
    assert energy_of(means, used(), COUNTED, IDLE).source == "rapl"
    failed = Reading(20.0, None, None, "gone")
    assert energy_of(means, used(), failed, IDLE) == Energy(note="gone")


def test_a_model_of_the_processor_says_nothing_of_a_graphics_card() -> None:
    assert energy_of(Means(model=MODEL), used(encoder="h264_nvenc"), None, None) == Energy(
        note="the power model knows the processor only, and h264_nvenc works on a graphics card"
    )


@pytest.mark.parametrize(
    ("rapl", "model", "source", "line"),
    [
        (True, None, "rapl", "Energy: measured by package-0"),
        (False, MODEL, "model", "Energy: estimated by the power model; no RAPL"),
        (False, None, None, "Energy: not known; no RAPL"),
    ],
)
def test_a_node_says_what_it_can_tell(
    sysfs: FakeSysfs, rapl: bool, model: PowerModel | None, source: str | None, line: str
) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    means = Means(find(sysfs.root) if rapl else Found(missing="no RAPL"), model=model)
    assert means.source == source
    assert means.describe() == line


@pytest.mark.parametrize("text", ["idle=8,per_core=6.5", "per_core=6.5, idle=8.0"])
def test_a_model_is_read_from_its_flag(text: str) -> None:
    assert parse_model(text) == MODEL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "idle=8",
        "idle=8,per_core=-1",
        "idle=8,idle=9",
        "idle=nan,per_core=1",
        "idle=8,per_core=1,x=2",
    ],
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write idle=WATTS,per_core=WATTS"):
        parse_model(text)


# An encode under way


def measured(
    sysfs: FakeSysfs,
    jobs: FakeJobs,
    meanwhile: Callable[[], object] = lambda: None,
    may_work: Callable[[], bool] = lambda: True,
    busy: tuple[float, float] = (1000.0, 1030.0),
) -> Energy:
    """What an encode used, in which this happened, and that took 30 s of CPU time."""
    zone = sysfs.zone("intel-rapl:0", "package-0")
    times = iter(busy)
    account = Account(Means(find(sysfs.root)), jobs, lambda: next(times))
    with account.encode(may_work) as metered:
        metered.may_work()
        move(zone, 5_000_000)
        meanwhile()
        return metered.end("libx264", 30.0, 20.0)


def test_an_encode_that_is_alone_is_measured(sysfs: FakeSysfs) -> None:
    assert measured(sysfs, FakeJobs()).joules == 5.0


def test_a_job_that_was_there_before_is_company(sysfs: FakeSysfs) -> None:
    energy = measured(sysfs, FakeJobs(running=2))
    assert (energy.joules, energy.note) == (None, "another job ran on this node at the same time")


def test_a_job_that_came_and_went_meanwhile_is_company(sysfs: FakeSysfs) -> None:
    jobs = FakeJobs()

    def come_and_go() -> None:
        jobs.added += 1

    assert measured(sysfs, jobs, come_and_go).note == "another job ran on this node at the same time"


def test_an_encode_that_was_suspended_is_not_measured(sysfs: FakeSysfs) -> None:
    answers = iter([True, False, True])
    jobs = FakeJobs()
    energy = measured(sysfs, jobs, may_work=lambda: next(answers))
    assert energy.joules == 5.0
    answers = iter([False])
    energy = measured(sysfs, jobs, may_work=lambda: next(answers))
    assert energy.note == "the encode was suspended for a while, in which the machine used energy too"


def test_others_are_who_used_the_cpu_and_is_not_this_encode(sysfs: FakeSysfs) -> None:
    energy = measured(sysfs, FakeJobs(), busy=(1000.0, 1040.0))
    assert energy.note is not None
    assert energy.note.startswith("other programs on this machine used 10.0 s of CPU time")


def test_an_encode_that_ends_by_an_error_is_not_read_any_more(sysfs: FakeSysfs) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    account = Account(Means(find(sysfs.root)), FakeJobs())
    with pytest.raises(OSError, match="no more"), account.encode(lambda: True) as metered:
        raise OSError("no more")
    assert metered._stretch is not None
    assert not metered._stretch._thread.is_alive()


def test_a_baseline_is_of_before_the_encode(sysfs: FakeSysfs) -> None:
    zone = sysfs.zone("intel-rapl:0", "package-0")
    found = find(sysfs.root)
    idle = IdleMeter(found.counters)
    account = Account(Means(found), FakeJobs(), lambda: 0.0, idle)
    for _ in range(3):
        idle.note(0.5)
    with account.encode(lambda: True) as metered:
        for _ in range(9):
            idle.note(1000.0)
        move(zone, 5_000_000)
        energy = metered.end("libx264", 1.0, 1.0)
    assert energy.note is not None
    assert "idle: 0.5 W" in energy.note
    assert energy.joules is not None
    assert energy.idle_joules is not None
    assert energy.net_joules == pytest.approx(energy.joules - energy.idle_joules)
