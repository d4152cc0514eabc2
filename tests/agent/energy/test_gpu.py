"""Graphics cards: what counts energy is used, and what shows an averaged power is not."""

from __future__ import annotations

from typing import Any

import pytest

from agent.energy.account import Means
from agent.energy.counters import Found
from agent.energy.gpu import find, load_nvml
from agent.energy.rapl import find as find_rapl
from tests.agent.energy.conftest import FakeSysfs, measure, move


class FakeNvml:
    """NVML's binding, for cards that have used so many millijoules; None: they do not count."""

    def __init__(self, *millijoules: int | None) -> None:
        self.millijoules = list(millijoules)

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVIDIA's name
        return len(self.millijoules)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802 - as above
        return index

    def nvmlDeviceGetTotalEnergyConsumption(self, handle: int) -> int:  # noqa: N802 - as above
        value = self.millijoules[handle]
        if value is None:
            raise RuntimeError("Not Supported")
        return value


class BrokenNvml:
    """A driver that does not answer."""

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802 - NVIDIA's name
        raise RuntimeError("Driver/library version mismatch")


def found(sysfs: FakeSysfs, nvml: Any = None) -> Found:
    return find(sysfs.root, lambda: nvml)


def test_nvidias_cards_count_millijoules(sysfs: FakeSysfs) -> None:
    nvml = FakeNvml(1_000, 50_000)
    counters = found(sysfs, nvml).counters

    def work() -> None:
        nvml.millijoules = [3_500, 50_250]

    read = measure(counters, work)
    assert read.joules == 2.75
    assert read.source == "gpu"
    assert read.note == "counters: NVIDIA card 0, NVIDIA card 1"


def test_intels_cards_count_microjoules(sysfs: FakeSysfs) -> None:
    card = sysfs.card(3, "xe", 77)
    sysfs.card(4, "coretemp", 5)
    read = measure(found(sysfs).counters, lambda: move(card, 4_000_000, "energy1_input"))
    assert read.joules == 4.0
    assert read.note == "counters: xe card 3"


def test_processor_and_card_count_together(sysfs: FakeSysfs) -> None:
    package, card = sysfs.zone("intel-rapl:0", "package-0"), sysfs.card(0, "i915", 0)
    counters = find_rapl(sysfs.root).counters + found(sysfs).counters
    read = measure(counters, lambda: (move(package, 3_000_000), move(card, 2_000_000, "energy1_input")))
    assert (read.joules, read.source) == (5.0, "rapl+gpu")


def test_an_averaged_power_is_no_counter(sysfs: FakeSysfs) -> None:
    (sysfs.card(1, "amdgpu") / "power1_average").write_text("15000000\n")
    assert found(sysfs).counters == ()
    assert found(sysfs).missing == "amdgpu card 1 has no energy counter that can be read"


@pytest.mark.parametrize(
    ("nvml", "missing"),
    [
        (FakeNvml(None), "NVIDIA card 0 has no energy counter that can be read"),
        (BrokenNvml(), "the NVIDIA card has no energy counter that can be read"),
        (None, None),
    ],
)
def test_a_card_that_does_not_count_is_named(sysfs: FakeSysfs, nvml: Any, missing: str | None) -> None:
    assert found(sysfs, nvml) == Found((), missing)


def test_without_nvidias_library_its_binding_is_not_loaded() -> None:
    nvml = load_nvml()
    assert nvml is None or hasattr(nvml, "nvmlDeviceGetTotalEnergyConsumption")


@pytest.mark.parametrize(
    ("encoder", "rapl", "nvidia", "gap"),
    [
        ("libx264", True, (), None),
        ("libx264", True, (None,), None),
        ("libx264", False, (5,), "no RAPL"),
        ("h264_nvenc", True, (5,), None),
        ("h264_nvenc", False, (5,), None),
        ("h264_nvenc", True, (None,), "NVIDIA card 0 has no energy counter that can be read"),
        ("h264_nvenc", True, (), "no NVIDIA card here has an energy counter that can be read"),
        ("h264_qsv", True, (), None),
        ("hevc_vaapi", False, (), "no RAPL"),
    ],
)
def test_an_encoder_that_works_where_nothing_counts_has_no_energy(
    sysfs: FakeSysfs, encoder: str, rapl: bool, nvidia: tuple[int | None, ...], gap: str | None
) -> None:
    sysfs.zone("intel-rapl:0", "package-0")
    processor = find_rapl(sysfs.root) if rapl else Found(missing="no RAPL")
    assert Means(processor, found(sysfs, FakeNvml(*nvidia))).gap(encoder) == gap
