"""The exact encode: what may be asked for, and what follows from it. Pure, used on both sides."""

from common.settings.codecs import (
    CODECS,
    MAX_AV1_BITRATE,
    MAX_AV1_THREADS,
    MIN_AV1_SIZE,
    Codec,
)
from common.settings.containers import CONTAINERS, Container
from common.settings.encode import DEFAULT_SEGMENT_SECONDS, EncodeSettings
from common.settings.errors import UnsuitableError
from common.settings.hardware import HARDWARE, encoder_of, hardware_of
from common.settings.rate import BITRATE, MAX_BITRATE, MIN_BITRATE, Rate, parse_bitrate
from common.settings.resolve import resolve
from common.source import (
    AudioTrack,
    Colour,
    ContentLight,
    Level,
    MasteringDisplay,
    Source,
    SubtitleTrack,
)

__all__ = [
    "BITRATE",
    "CODECS",
    "CONTAINERS",
    "DEFAULT_SEGMENT_SECONDS",
    "HARDWARE",
    "MAX_AV1_BITRATE",
    "MAX_AV1_THREADS",
    "MAX_BITRATE",
    "MIN_AV1_SIZE",
    "MIN_BITRATE",
    "AudioTrack",
    "Codec",
    "Colour",
    "Container",
    "ContentLight",
    "EncodeSettings",
    "Level",
    "MasteringDisplay",
    "Rate",
    "Source",
    "SubtitleTrack",
    "UnsuitableError",
    "encoder_of",
    "hardware_of",
    "parse_bitrate",
    "resolve",
]
