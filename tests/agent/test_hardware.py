"""A machine is described by what it shows: CPU, GPU, battery, and the defaults that follow."""

import platform
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.hardware import (
    GIB,
    cpu_model,
    default_labels,
    default_slots,
    detect,
    gpu_model,
    has_battery,
    node_type,
)
from common.model import NodeType
from common.schema import MAX_REASON, RegisterSchema


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("battery", "threads", "gib", "kind"),
    [
        (True, 64, 256, NodeType.LAPTOP),
        (False, 17, 33, NodeType.SERVER),
        (None, 17, 33, NodeType.SERVER),
        (False, 16, 64, NodeType.DESKTOP),
        (False, 32, 32, NodeType.DESKTOP),
        (False, 8, 16, NodeType.DESKTOP),
    ],
)
def test_a_battery_makes_a_laptop_and_size_makes_a_server(
    battery: bool | None, threads: int, gib: int, kind: NodeType
) -> None:
    assert node_type(battery, threads, gib * GIB) is kind


def test_the_cpu_of_x86_is_its_model_name(tmp_path: Path) -> None:
    write(
        tmp_path / "proc/cpuinfo",
        "processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763 64-Core Processor\n",
    )
    assert cpu_model(tmp_path) == "AMD EPYC 7763 64-Core Processor"


def test_the_cpu_of_arm64_is_its_core_or_its_board(tmp_path: Path) -> None:
    write(tmp_path / "proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n")
    assert cpu_model(tmp_path) == "ARM Neoverse-N1"
    write(tmp_path / "proc/cpuinfo", "CPU implementer\t: 0x99\n\nModel\t\t: Raspberry Pi 9\n")
    assert cpu_model(tmp_path) == "Raspberry Pi 9"


def test_a_cpu_that_tells_nothing_is_named_by_its_architecture(tmp_path: Path) -> None:
    assert cpu_model(tmp_path) == platform.machine()


def test_only_a_battery_that_drives_the_machine_counts(tmp_path: Path) -> None:
    assert has_battery(tmp_path) is None
    supplies = tmp_path / "sys/class/power_supply"
    write(supplies / "AC/type", "Mains\n")
    write(supplies / "mouse/type", "Battery\n")
    write(supplies / "mouse/scope", "Device\n")
    assert has_battery(tmp_path) is False
    write(supplies / "BAT0/type", "Battery\n")
    assert has_battery(tmp_path) is True


def test_a_gpu_is_named_by_the_maker_of_its_render_node(tmp_path: Path) -> None:
    drm = tmp_path / "sys/class/drm"
    write(drm / "renderD128/device/vendor", "0x1af4\n")
    assert gpu_model(tmp_path, None) is None
    write(drm / "renderD129/device/vendor", "0x8086\n")
    assert gpu_model(tmp_path, None) == "Intel GPU"


def test_nvidia_smi_names_the_gpu_where_it_works(tmp_path: Path) -> None:
    tool = tmp_path / "nvidia-smi"
    write(tool, "#!/bin/sh\necho 'NVIDIA GeForce RTX 4090'\n")
    tool.chmod(0o755)
    assert gpu_model(tmp_path, str(tool)) == "NVIDIA GeForce RTX 4090"
    write(
        tool, "#!/bin/sh\necho 'has failed because it could not communicate with the NVIDIA driver'\nexit 9\n"
    )
    assert gpu_model(tmp_path, str(tool)) is None


def test_this_machine_is_described_with_the_encoders_that_passed(toolbox: Toolbox) -> None:
    hardware = detect(toolbox)
    assert hardware.cpu_threads
    assert hardware.cpu_model
    assert hardware.ram_bytes
    assert hardware.ram_bytes > GIB // 4
    assert (hardware.encoders, hardware.ffmpeg_version) == (toolbox.encoders, toolbox.version)
    assert detect(None).encoders is None


def test_every_node_is_labelled_with_architecture_kind_and_system(toolbox: Toolbox) -> None:
    hardware = detect(toolbox)
    assert hardware.type is not None
    labels = default_labels(hardware)
    assert labels["arch"] in ("amd64", "arm64")
    assert (labels["node_type"], labels["os"]) == (hardware.type.value, "linux")


@pytest.mark.parametrize(
    ("threads", "encoders", "slots", "words"),
    [
        (1, (), 1, "at least 1"),
        (8, ("libx264",), 2, "one for each 4 of 8 cores"),
        (16, ("h264_nvenc",), 4, "one for each 4 of 16 cores"),
        (64, ("libx264", "h264_nvenc"), 8, "session limit of nvenc is 8"),
        (64, ("libx264", "h264_vaapi"), 16, "one for each 4 of 64 cores"),
    ],
)
def test_the_slots_follow_the_cores_or_the_hardware_encoders_limit(
    threads: int, encoders: tuple[str, ...], slots: int, words: str
) -> None:
    number, sentence = default_slots(threads, encoders)
    assert number == slots
    assert words in sentence


def test_each_failed_encoder_has_its_reason_in_one_short_line() -> None:
    failed = {
        "h264_nvenc": "Cannot load\n  libcuda.so.1",
        "h264_qsv": "x" * 1000,
        "hevc_nvenc": "",
        "/usr/bin/ffmpeg": "it does not run",
    }
    found = detect(Toolbox(failed=failed)).encoder_failures
    assert found == {
        "h264_nvenc": "Cannot load libcuda.so.1",
        "h264_qsv": "x" * MAX_REASON,
        "hevc_nvenc": "it did not say why",
    }
    RegisterSchema().load({"address": "worker-01", "encoder_failures": found})
    assert detect(None).encoder_failures is None
