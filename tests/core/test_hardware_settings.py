"""A hardware encoder takes the software's place only where it is asked for and can do what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from common.scenarios import SCENARIOS
from common.settings import (
    CODECS,
    HARDWARE,
    EncodeSettings,
    UnsuitableError,
    encoder_of,
    hardware_of,
    resolve,
)

ALL = tuple(str(encoder_of(codec, name)) for name in HARDWARE for codec in ("h264", "h265", "av1"))


def chosen(scenario: str = "720p30-h264", usable: tuple[str, ...] = ALL, **parameters: Any) -> EncodeSettings:
    return resolve(SCENARIOS[scenario], parameters, None, usable)


def test_without_being_asked_for_no_hardware_is_used() -> None:
    assert chosen().encoder == chosen(hwaccel="none").encoder == "libx264"


@pytest.mark.parametrize("name", HARDWARE)
def test_a_name_is_that_hardware_on_every_node(name: str) -> None:
    for scenario, ffmpegs in (("720p30-h264", "h264"), ("720p30-h265", "hevc"), ("480p30-av1", "av1")):
        settings = chosen(scenario, usable=(), hwaccel=name)
        assert settings.encoder == f"{ffmpegs}_{name}"
        assert hardware_of(settings.encoder) == name


def test_auto_takes_what_the_node_has_and_else_the_software() -> None:
    assert chosen(hwaccel="auto").encoder == "h264_nvenc"
    assert chosen(usable=("libx264", "h264_vaapi", "hevc_qsv"), hwaccel="auto").encoder == "h264_vaapi"
    assert chosen(usable=("libx264", "hevc_nvenc"), hwaccel="auto").encoder == "libx264"


@pytest.mark.parametrize(
    ("field", "scenario", "parameters"),
    [
        ("hwaccel", "720p30-vp9", {}),
        ("pixel_format", "720p30-h264", {"pixel_format": "yuv444p"}),
        ("pixel_format", "720p30-h264", {"pixel_format": "yuv420p10le"}),
        ("two_pass", "720p30-h264", {"two_pass": True}),
        ("threads", "720p30-h264", {"threads": 2}),
        ("crf", "720p30-h264", {"crf": 0.5}),
        ("width", "720p30-h264", {"width": 128, "height": 96}),
        ("width", "4K60-h264", {"width": 7680, "height": 4320}),
    ],
)
def test_what_it_cannot_do_is_refused_by_name_and_left_to_the_software_by_auto(
    field: str, scenario: str, parameters: dict[str, Any]
) -> None:
    with pytest.raises(UnsuitableError) as raised:
        chosen(scenario, hwaccel="nvenc", **parameters)
    assert raised.value.field == field
    assert hardware_of(chosen(scenario, hwaccel="auto", **parameters).encoder) is None


def test_only_some_can_cap_a_quality_or_have_ten_bits() -> None:
    capped: dict[str, Any] = {"crf": 25, "maxrate": "3M"}
    assert chosen(hwaccel="nvenc", **capped).encoder == "h264_nvenc"
    with pytest.raises(UnsuitableError, match="qsv cannot cap a constant quality"):
        chosen(hwaccel="qsv", **capped)
    ten: dict[str, Any] = {"pixel_format": "yuv420p10le"}
    assert chosen("720p30-h265", hwaccel="vaapi", **ten).pixel_format == "yuv420p10le"
    with pytest.raises(UnsuitableError, match="amf encodes h265 in yuv420p only"):
        chosen("720p30-h265", hwaccel="amf", **ten)


def test_a_quality_is_another_on_each_encoder_so_auto_leaves_it_to_the_software() -> None:
    assert chosen(hwaccel="auto", crf=23).encoder == "libx264"
    assert chosen(hwaccel="nvenc", crf=23).encoder == "h264_nvenc"
    # The search finds the number that fits the encoder.
    assert chosen(hwaccel="auto", target_vmaf=93).encoder == "h264_nvenc"


@pytest.mark.parametrize(
    ("preset", "own"),
    [
        (None, {"nvenc": "p4", "qsv": "medium", "amf": "balanced", "vaapi": "", "videotoolbox": ""}),
        ("ultrafast", {"nvenc": "p1", "qsv": "veryfast", "amf": "speed", "vaapi": ""}),
        ("fast", {"nvenc": "p4", "qsv": "medium", "amf": "balanced"}),
        ("veryslow", {"nvenc": "p7", "qsv": "veryslow", "amf": "quality", "vaapi": ""}),
    ],
)
def test_a_preset_is_the_one_at_the_same_place_between_fast_and_slow(
    preset: str | None, own: dict[str, str]
) -> None:
    asked: dict[str, Any] = {} if preset is None else {"preset": preset}
    assert {name: chosen(hwaccel=name, **asked).preset for name in own} == own


def test_a_preset_that_is_not_the_codecs_is_refused_with_hardware_too() -> None:
    with pytest.raises(UnsuitableError, match="preset 'p4' does not go with h264"):
        chosen(hwaccel="nvenc", preset="p4")


def test_no_software_encoder_is_taken_for_hardware() -> None:
    assert {hardware_of(codec.encoder) for codec in CODECS.values()} == {None}
