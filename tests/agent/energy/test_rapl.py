"""RAPL: what counts of the zones below powercap counts once, and what cannot be read is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.energy.rapl import find
from tests.agent.energy.conftest import FakeSysfs, measure, move


def test_a_package_counts_and_its_cores_and_graphics_do_not_count_again(sysfs: FakeSysfs) -> None:
    package = sysfs.zone("intel-rapl:0", "package-0", 5_000_000)
    core = sysfs.zone("intel-rapl:0/intel-rapl:0:0", "core")
    uncore = sysfs.zone("intel-rapl:0/intel-rapl:0:1", "uncore")
    counters = find(sysfs.root).counters
    assert [counter.name for counter in counters] == ["package-0"]
    read = measure(
        counters, lambda: (move(package, 30_000_000), move(core, 20_000_000), move(uncore, 5_000_000))
    )
    assert read.joules == 30.0
    assert read.source == "rapl"
    assert read.note == "counters: package-0"


def test_the_memory_of_a_package_is_beside_it(sysfs: FakeSysfs) -> None:
    package = sysfs.zone("intel-rapl:0", "package-0")
    dram = sysfs.zone("intel-rapl:0/intel-rapl:0:2", "dram", largest=65_712_999_613)
    read = measure(find(sysfs.root).counters, lambda: (move(package, 30_000_000), move(dram, 4_000_000)))
    assert read.joules == 34.0
    assert read.note == "counters: package-0, dram of package-0"


def test_all_packages_count_and_all_dies(sysfs: FakeSysfs) -> None:
    zones = [
        sysfs.zone("intel-rapl:0", "package-0-die-0"),
        sysfs.zone("intel-rapl:1", "package-0-die-1"),
        sysfs.zone("intel-rapl:2", "package-1"),
        sysfs.zone("intel-rapl:10", "package-2"),
    ]
    read = measure(
        find(sysfs.root).counters, lambda: [move(z, 10**i * 1_000_000) for i, z in enumerate(zones)]
    )
    assert read.joules == 1111.0


def test_the_same_package_by_another_road_does_not_count_again(sysfs: FakeSysfs) -> None:
    package = sysfs.zone("intel-rapl:0", "package-0")
    again = sysfs.zone("intel-rapl-mmio:0", "package-0")
    counters = find(sysfs.root).counters
    assert measure(counters, lambda: (move(package, 2_000_000), move(again, 2_000_000))).joules == 2.0


def test_the_whole_board_counts_in_place_of_its_parts(sysfs: FakeSysfs) -> None:
    package, psys = sysfs.zone("intel-rapl:0", "package-0"), sysfs.zone("intel-rapl:1", "psys")
    dram = sysfs.zone("intel-rapl:0/intel-rapl:0:2", "dram")
    read = measure(
        find(sysfs.root).counters,
        lambda: (move(package, 30_000_000), move(dram, 3_000_000), move(psys, 50_000_000)),
    )
    assert read.joules == 50.0
    assert read.note == "counters: psys"


@pytest.mark.parametrize("claimed", [0, 20_000_000])
def test_a_board_that_claims_less_than_its_parts_is_not_believed(sysfs: FakeSysfs, claimed: int) -> None:
    package, psys = sysfs.zone("intel-rapl:0", "package-0"), sysfs.zone("intel-rapl:1", "psys")
    read = measure(find(sysfs.root).counters, lambda: (move(package, 30_000_000), move(psys, claimed)))
    assert read.joules == 30.0
    assert read.note == "counters: package-0"


def test_other_zones_do_not_count(sysfs: FakeSysfs) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    sysfs.zone("intel-rapl:1", "something-new")
    sysfs.zone("dtpm:0", "package-0")
    assert [counter.name for counter in find(sysfs.root).counters] == ["package-0"]


@pytest.mark.parametrize("hidden", ["intel-rapl:1", "intel-rapl:0/intel-rapl:0:2"])
def test_one_counter_that_cannot_be_read_leaves_no_whole_and_says_what_to_do(
    sysfs: FakeSysfs, hidden: str
) -> None:
    for path, name in (
        ("intel-rapl:0", "package-0"),
        ("intel-rapl:0/intel-rapl:0:2", "dram"),
        ("intel-rapl:1", "package-1"),
    ):
        sysfs.zone(path, name)
    energy = sysfs.powercap / hidden / "energy_uj"
    energy.unlink()
    energy.mkdir()  # the tests may run as root, who may read whatever is a file
    found = find(sysfs.root)
    assert found.counters == ()
    assert found.missing == (
        f"the processor's energy counter {energy} cannot be read by this user; give the agent's group the "
        "right to read it, as docs/measurements.md says under Energy, and restart the agent"
    )


def test_a_machine_without_counters_says_so(sysfs: FakeSysfs, tmp_path: Path) -> None:
    for root in (sysfs.root, tmp_path / "nothing"):
        found = find(root)
        assert found.counters == ()
        assert found.missing == (
            "the processor shows no energy counter (RAPL) here, as in most virtual machines"
        )


@pytest.mark.parametrize("text", ["", "many", "-5", "1.5", "9" * 21, "\u0665"])
def test_what_is_no_number_is_not_read(sysfs: FakeSysfs, text: str) -> None:
    zone = sysfs.zone("intel-rapl:0", "package-0")
    (zone / "energy_uj").write_text(text)
    assert find(sysfs.root).counters == ()
