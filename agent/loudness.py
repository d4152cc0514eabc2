"""How loud sound is, before and after: two more readings of it by ffmpeg."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from agent.ffmpeg import command
from agent.ffmpeg.container import picture_file, sound_files
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.log import reason
from agent.ffmpeg.sound import tracks
from agent.inputs.measured import MeasuredInput
from agent.task import FailedError, Task
from common.settings import EncodeSettings, Level

TOLERANCE = 0.5
"""LU that the output's loudness may be off its target (EBU R 128, for what is not live)."""
_SILENT = -70.0
"""LUFS below which nothing counts (ITU-R BS.1770)."""
_VALUE = re.compile(r'"(input_\w+)"\s*:\s*"([^"]{1,20})"')
_INTEGRATED = re.compile(r"\bI:\s*(-?[0-9]{1,3}(?:\.[0-9]{1,3})?) LUFS")


def with_levels(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> EncodeSettings:
    """The settings with how loud each track is, where the sound is to be brought to a loudness."""
    if settings.loudness is None:
        return settings
    levels = []
    for name, _ in tracks(settings):
        how = f"loudnorm=I={settings.loudness:g}:print_format=json"
        descriptor = None if given is None else given.rewound()
        ffmpeg = _ffmpeg(task, settings)
        argv = command.listen(str(ffmpeg.path), settings, name, how, descriptor, ffmpeg.version)
        levels.append(level(_heard(task, settings, argv, descriptor)))
    return replace(settings, levels=tuple(levels))


def loudness_of_output(task: Task, settings: EncodeSettings, ffmpeg: FFmpeg, path: Path) -> float | None:
    """LUFS of the first track of what was encoded; None if it was not to have a loudness, or is silent."""
    if settings.loudness is None or not tracks(settings):
        return None
    name = (*sound_files(settings, path.name), picture_file(settings, path.name))[0]
    return loudness_of_file(task, settings, ffmpeg, name)


def loudness_of_file(task: Task, settings: EncodeSettings, ffmpeg: FFmpeg, name: str) -> float | None:
    """The same of the first track in a file of the attempt's directory."""
    argv = command.listen_to_file(str(ffmpeg.path), name, "ebur128=framelog=quiet")
    return integrated(_heard(task, settings, argv, None))


def off_target(settings: EncodeSettings, found: float | None) -> tuple[str, ...]:
    """A sentence if the loudness is not what was asked for."""
    if settings.loudness is None or not settings.levels:
        return ()
    if found is None:
        return ("the sound is silent: it was left as it is",)
    if abs(found - settings.loudness) <= TOLERANCE:
        return ()
    return (
        f"the loudness is {found:g} LUFS instead of {settings.loudness:g}: "
        "the peaks of the sound leave no more room",
    )


def level(log: Sequence[str]) -> Level | None:
    """What `loudnorm` found, from what it said; None: silence."""
    said = {name: float(text) for name, text in _VALUE.findall("\n".join(log)) if _is_number(text)}
    names = ("input_i", "input_tp", "input_lra", "input_thresh")
    if not all(math.isfinite(said.get(name, math.nan)) for name in names) or said["input_i"] <= _SILENT:
        return None
    return Level(said["input_i"], said["input_tp"], said["input_lra"], said["input_thresh"])


def integrated(log: Sequence[str]) -> float | None:
    """The last loudness of a whole that `ebur128` said, in LUFS; None: silence."""
    found = _INTEGRATED.findall("\n".join(log))
    value = float(found[-1]) if found else _SILENT
    return value if value > _SILENT else None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _ffmpeg(task: Task, settings: EncodeSettings) -> FFmpeg:
    found = task.tools.toolbox.ffmpeg_for(settings.encoder)
    if found is None:
        raise FailedError("encoder_missing", f"this node cannot use {settings.encoder}")
    return found


def _heard(
    task: Task, settings: EncodeSettings, argv: Sequence[str], descriptor: int | None
) -> Sequence[str]:
    """What ffmpeg said of the sound; `FailedError`, `AbortedError`."""
    descriptors = [] if descriptor is None else [descriptor]
    ended = task.run(argv, task.tools.limits(settings), descriptors=descriptors)
    if ended.why is not None or ended.returncode != 0:
        last = ended.why or reason(ended.log) or "it logged nothing"
        raise FailedError("encoder_error", f"the loudness could not be measured: {last}")
    return ended.log
