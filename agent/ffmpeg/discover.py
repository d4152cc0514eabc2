"""Which ffmpegs this machine has, and which encoders really work with them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from agent.ffmpeg.begin import QUIET
from agent.ffmpeg.hardware import device, uploaded
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import run
from agent.ffmpeg.spawner import Spawner
from agent.ffmpeg.video import video
from agent.sandbox import Sandbox
from common.scenarios import Scenario
from common.settings import CODECS, HARDWARE, EncodeSettings, encoder_of, hardware_of, resolve

SOFTWARE = ("libx264", "libx265", "libvpx-vp9", "libsvtav1", "libaom-av1")
HARDWARE_ENCODERS = tuple(
    encoder for name in HARDWARE for codec in CODECS if (encoder := encoder_of(codec, name)) is not None
)

_TRIALS = {"libx264": 0.045, "libx265": 0.165, "libvpx-vp9": 0.27, "libsvtav1": 0.105, "libaom-av1": 0.70}
"""Seconds of CPU that trial encodes took where the paces of `agent.steps` were measured, with the wheel's."""
_NO_SANDBOX = Sandbox()
_TRIAL_LIMITS = Limits(first=20, stall=20, last=20, total=20, grace=1)
_VERSION = re.compile(r"^ffmpeg version (\S+)")
_LISTED = re.compile(r"^ V[A-Z.]{5} (\S+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class FFmpeg:
    """One ffmpeg binary."""

    path: Path
    version: str
    """As it names itself, such as `n7.1` or `5.1.6-0+deb12u1`."""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What this machine can encode, and with which ffmpeg."""

    chosen: Mapping[str, FFmpeg] = field(default_factory=dict)
    """For each encoder that passed its trial, the first ffmpeg that passed."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """For each encoder that some ffmpeg lists but none can use, the short reason."""
    srt: FFmpeg | None = None
    """The first ffmpeg that speaks SRT, if one does."""
    slowness: float | None = None
    """How many times as much of a core's time trial encodes took as where the paces of `agent.steps` were
    measured; None: none of them is known."""

    @property
    def encoders(self) -> tuple[str, ...]:
        """The encoders that passed a trial encode, sorted."""
        return tuple(sorted(self.chosen))

    @property
    def version(self) -> str | None:
        """The version of the ffmpeg that most encoders use; None without any."""
        versions = [ffmpeg.version for ffmpeg in self.chosen.values()]
        return max(versions, key=versions.count) if versions else None

    def ffmpeg_for(self, encoder: str) -> FFmpeg | None:
        """The ffmpeg to use for `encoder`; None if it passed no trial here."""
        return self.chosen.get(encoder)


def discover(spawner: Spawner, extra: Path | None = None, sandbox: Sandbox = _NO_SANDBOX) -> Toolbox:
    """Looks at `extra`, the wheel's ffmpeg and those on PATH, in this order; takes a few seconds.

    An ffmpeg that does not run in the sandbox is left out. With none at all the toolbox is empty.
    """
    chosen: dict[str, FFmpeg] = {}
    failed: dict[str, str] = {}
    srt: FFmpeg | None = None
    took: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="ffrtmp-trial-") as name:
        directory = Path(name)
        for path in candidates(extra):
            output = partial(_output, spawner, sandbox, directory, path)
            try:
                version = _VERSION.match(output("-version"))
                listed = listed_encoders(output("-hide_banner", "-encoders"))
                speaks_srt = has_protocol(output("-hide_banner", "-protocols"), "srt")
            except OSError as error:
                failed[str(path)] = str(error)
                continue
            ffmpeg = FFmpeg(path, version[1] if version else "unknown")
            srt = srt or (ffmpeg if speaks_srt else None)
            wanted = [e for e in (*SOFTWARE, *HARDWARE_ENCODERS) if e in listed and e not in chosen]
            with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
                trial = partial(_trial, spawner, sandbox, ffmpeg, directory)
                outcomes = list(pool.map(trial, wanted))
            for encoder, outcome in zip(wanted, outcomes, strict=True):
                if isinstance(outcome, str):
                    failed.setdefault(encoder, outcome)
                else:
                    chosen[encoder], took[encoder] = ffmpeg, outcome
    failed = {name: why for name, why in failed.items() if name not in chosen}
    return Toolbox(chosen, failed, srt, slowness(took))


def slowness(took: Mapping[str, float]) -> float | None:
    """See `Toolbox.slowness`. `took`: seconds of CPU, by encoder. Pure."""
    known = [name for name in took if name in _TRIALS]
    here = sum(took[name] for name in known)
    return here / sum(_TRIALS[name] for name in known) if here > 0 else None


def candidates(extra: Path | None) -> list[Path]:
    """The ffmpegs there are, each once, in the order in which they are preferred."""
    found = [] if extra is None else [extra]
    wheel = _wheel_ffmpeg()
    if wheel is not None:
        found.append(wheel)
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        binary = shutil.which("ffmpeg", path=folder) if folder else None
        if binary is not None:
            found.append(Path(binary))
    unique: dict[Path, Path] = {}
    for path in found:
        unique.setdefault(path.resolve(), path.absolute())
    return list(unique.values())


def _wheel_ffmpeg() -> Path | None:
    try:
        import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information

        return Path(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # RuntimeError: no binary for this platform
        return None


def listed_encoders(text: str) -> set[str]:
    """The video encoders in the output of `ffmpeg -encoders`."""
    return set(_LISTED.findall(text)) - {"="}


def has_protocol(text: str, name: str) -> bool:
    """Whether the output of `ffmpeg -protocols` has it for inputs and for outputs."""
    inputs, _, outputs = text.partition("Output:")
    return name in inputs.split() and name in outputs.split()


def trial_argv(ffmpeg: str, encoder: str) -> list[str]:
    """The argv of a trial encode: five frames, large enough for every GPU's minimum size.

    Hardware is told what it is told in an encode; nothing else would prove that it works.
    """
    argv = [ffmpeg, *QUIET]
    picture = ["-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-frames:v", "5"]
    if hardware_of(encoder) is not None:
        settings = _trial_settings(encoder)
        return [
            *uploaded([*argv, *device(settings), *picture], settings),
            *video(settings),
            "-f",
            "null",
            "-",
        ]
    argv += [*picture, "-pix_fmt", "yuv420p", "-c:v", encoder, "-b:v", "500k"]
    argv += {"libaom-av1": ["-cpu-used", "8"], "libsvtav1": ["-preset", "10"]}.get(encoder, [])
    return [*argv, "-f", "null", "-"]


def _trial_settings(encoder: str) -> EncodeSettings:
    name = hardware_of(encoder)
    codec = next(codec for codec in CODECS if encoder_of(codec, str(name)) == encoder)
    scenario = Scenario("trial", 640, 360, 25, codec, "500k", duration=0.2)
    return resolve(scenario, {"hwaccel": str(name)})


def _output(spawner: Spawner, sandbox: Sandbox, directory: Path, ffmpeg: Path, *options: str) -> str:
    argv = sandbox.wrap([str(ffmpeg), *options], directory)
    return spawner.output(argv, directory, 20, greets=sandbox.has_monitor)


def _trial(spawner: Spawner, sandbox: Sandbox, ffmpeg: FFmpeg, directory: Path, encoder: str) -> float | str:
    """The seconds of CPU that it took if the encoder works, else the short reason."""
    try:
        ended = run(
            spawner,
            trial_argv(str(ffmpeg.path), encoder),
            directory,
            limits=_TRIAL_LIMITS,
            abort=threading.Event(),
            sandbox=sandbox,
            devices=hardware_of(encoder) is not None,
        )
    except OSError as error:
        return str(error)
    if ended.returncode == 0:
        return ended.cpu_seconds
    if ended.why is not None:
        return f"no end within {_TRIAL_LIMITS.total:g} s"
    if ended.signal is not None:
        return f"ended by signal {ended.signal}"
    return (reason(ended.log) or f"exit code {ended.returncode}")[:200]
