"""A stretch adds up what counters count, over wraps, and says nothing when it cannot be sure."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from agent.energy.counters import Counter, Part, advance
from agent.energy.meter import Stretch
from agent.energy.rapl import find
from tests.agent.conftest import wait_until
from tests.agent.energy.conftest import NEVER, RANGE, FakeSysfs, measure, move


def test_what_was_counted_before_does_not_count(sysfs: FakeSysfs) -> None:
    zone = sysfs.zone("intel-rapl:0", "package-0", 987_654_321)
    assert measure(find(sysfs.root).counters).joules == 0.0
    assert measure(find(sysfs.root).counters, lambda: move(zone, 1)).joules == 1e-6


def test_a_counter_that_begins_anew_goes_on_counting(sysfs: FakeSysfs) -> None:
    zone = sysfs.zone("intel-rapl:0", "package-0", RANGE - 4_000_000)
    read = measure(find(sysfs.root).counters, lambda: move(zone, 10_000_000))
    assert read.joules == 10.0


def test_an_encode_that_is_longer_than_many_wraps_is_counted_whole(sysfs: FakeSysfs) -> None:
    small = 65_532_610_987
    zone = sysfs.zone("intel-rapl:0", "package-0", small // 2, largest=small)
    steps = [lambda: move(zone, 40_000_000_000)] * 20
    assert measure(find(sysfs.root).counters, *steps).joules == 800_000.0


@given(st.lists(st.integers(0, 999), max_size=50), st.integers(0, 999))
def test_whatever_it_reads_between_it_adds_up_to_what_was_used(steps: list[int], start: int) -> None:
    now, total = start, 0
    for step in steps:
        before, now = now, (now + step) % 1000
        total += advance(before, now, 1000)
    assert total == sum(steps)


def test_a_counter_that_never_wraps_and_falls_has_not_counted() -> None:
    assert advance(500, 400, None) == 0


def test_it_reads_by_itself_while_the_encode_goes_on(sysfs: FakeSysfs) -> None:
    readings: list[int] = []

    def read() -> int:
        readings.append(len(readings))
        return 600 * len(readings) % 1000  # it wraps at almost every reading

    stretch = Stretch([Counter("package-0", Part.PACKAGE, read, 1000)], interval=0.001)
    assert wait_until(lambda: len(readings) > 10)
    joules = stretch.end().joules
    assert joules is not None
    assert round(joules * 1e6) == 600 * (len(readings) - 1)
    assert not stretch._thread.is_alive(), "it goes on after its end"


def test_a_counter_that_vanishes_leaves_nothing_and_is_named(sysfs: FakeSysfs) -> None:
    zone, other = sysfs.zone("intel-rapl:0", "package-0"), sysfs.zone("intel-rapl:1", "package-1")
    read = measure(
        find(sysfs.root).counters,
        lambda: (move(zone, 1_000_000), (other / "energy_uj").rename(other / "gone")),
        lambda: (other / "energy_uj").write_text("5000000\n"),  # back again, but for how long was it away?
    )
    assert read.joules is None
    assert read.note.startswith("the energy counter package-1 could not be read any more: ")


def test_a_machine_that_slept_meanwhile_says_nothing(sysfs: FakeSysfs) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    times: Iterator[tuple[float, float]] = iter([(10.0, 110.0), (15.0, 700.0)])
    read = Stretch(find(sysfs.root).counters, NEVER, lambda: next(times)).end()
    assert (read.seconds, read.joules) == (5.0, None)
    assert read.note == "the machine slept meanwhile, and its counters may have begun anew"
