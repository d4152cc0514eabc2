"""The exact encode: what may be asked for, and what follows from it. Pure, used on both sides."""

from common.settings.codecs import (
    CODECS,
    MAX_AV1_BITRATE,
    MAX_AV1_THREADS,
    MIN_AV1_SIZE,
    Codec,
)
from common.settings.containers import CONTAINERS, Container
from common.settings.encode import EncodeSettings, Source
from common.settings.errors import UnsuitableError
from common.settings.live import resolve_job
from common.settings.rate import BITRATE, MAX_BITRATE, MIN_BITRATE, Rate, parse_bitrate
from common.settings.resolve import resolve

__all__ = [
    "BITRATE",
    "CODECS",
    "CONTAINERS",
    "MAX_AV1_BITRATE",
    "MAX_AV1_THREADS",
    "MAX_BITRATE",
    "MIN_AV1_SIZE",
    "MIN_BITRATE",
    "Codec",
    "Container",
    "EncodeSettings",
    "Rate",
    "Source",
    "UnsuitableError",
    "parse_bitrate",
    "resolve",
    "resolve_job",
]
