"""Finds the CRF that gives a VMAF: encodes samples, then the whole input, and measures what it got."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from agent import steps
from agent.encode import Encoded
from agent.ffmpeg.samples import choose
from agent.inputs.measured import MeasuredInput
from agent.quality.compare import NoFilterError, NotMeasuredError
from agent.quality.measure import Quality, expected, measure
from agent.sampling import probe_crf
from agent.target import MOST_WHOLE, TOLERANCE, closest, next_samples, next_whole
from agent.task import FailedError, Task
from common.crf import SCALES
from common.estimate import Step
from common.model import CrfProbe
from common.result import metrics
from common.settings import EncodeSettings

Encode = Callable[[Task, EncodeSettings, MeasuredInput | None], Encoded]


@dataclass(frozen=True, slots=True)
class Found:
    """The encode that is kept."""

    encoded: Encoded
    """With its quality."""
    probes: tuple[CrfProbe, ...]
    """All that was measured on the way, in order."""


@dataclass(slots=True)
class _Best:
    """The whole encode that came nearest so far."""

    encoded: Encoded | None = None
    probe: CrfProbe | None = None


def search(
    task: Task,
    settings: EncodeSettings,
    given: MeasuredInput | None,
    methods: Sequence[str],
    encode: Encode,
    known: Sequence[CrfProbe] = (),
    after: Sequence[Step] = (),
) -> Found:
    """The whole encode that comes nearest to `settings.rate.target_vmaf`, measured by `methods`, VMAF among
    them.

    `known`: what was measured before, anywhere; `after`: the steps that are expected when it is
    done. `FailedError` as `encode` raises it, and
    `encoder_missing` if no ffmpeg here has libvmaf; `AbortedError`.
    """
    target = settings.rate.target_vmaf or 0.0
    whole = (*steps.encodes(settings), *expected(settings, methods), *after)
    probes, warnings = _sampled(task, settings, given, target, list(known), whole)
    best = _Best()
    for number in range(1, MOST_WHOLE + 1):
        crf = next_whole(target, SCALES[settings.codec], probes)
        if crf is None:
            break
        own = replace(task, directory=task.directory / f"whole-{number}")
        own.directory.mkdir()
        task.tools.course.plan(whole)  # nobody knows whether it is the last one
        encoded = encode(own, with_crf(settings, crf), given)
        quality = measure(own, encoded, given, methods)
        vmaf = quality.metrics.get("vmaf_mean")
        if isinstance(vmaf, float):
            probes.append(CrfProbe(crf, vmaf, encoded.probed.bitrate, whole=True))
        _keep(best, quality.added_to(encoded), probes[-1] if isinstance(vmaf, float) else None, target)
        if vmaf is None:
            break
    return _found(task, best, target, probes, warnings)


def with_crf(settings: EncodeSettings, crf: float) -> EncodeSettings:
    """The same encode with a CRF that was found."""
    return replace(settings, rate=replace(settings.rate, crf=crf))


def _sampled(
    task: Task,
    settings: EncodeSettings,
    given: MeasuredInput | None,
    target: float,
    probes: list[CrfProbe],
    whole: Sequence[Step],
) -> tuple[list[CrfProbe], list[str]]:
    """The probes on samples, and what was not as it should be."""
    frames = round(choose(settings.duration, made=given is None).seconds * settings.fps)
    while (crf := next_samples(target, SCALES[settings.codec], probes)) is not None:
        sample = [steps.encode(settings, frames=frames), *expected(settings, ("vmaf",), frames)]
        task.tools.course.plan((*sample * steps.more_samples(len(probes)), *whole))
        try:
            probes.append(probe_crf(task, with_crf(settings, crf), given))
        except NoFilterError as error:
            raise FailedError("encoder_missing", f"target_vmaf: {error}", metrics(settings)) from error
        except NotMeasuredError as error:  # the whole file is measured in any case
            return probes, [f"samples of the input could not be used to find the crf: {error}"]
    return probes, []


def _keep(best: _Best, encoded: Encoded, probe: CrfProbe | None, target: float) -> None:
    """Of what there is and what is new the nearer one; the other one is removed from the disk."""
    if best.encoded is None or (
        probe is not None and (best.probe is None or closest(target, (best.probe, probe)) is probe)
    ):
        gone, best.encoded, best.probe = best.encoded, encoded, probe
    else:
        gone = encoded
    if gone is not None:
        shutil.rmtree(gone.path.parent)


def _found(
    task: Task, best: _Best, target: float, probes: Sequence[CrfProbe], warnings: Sequence[str]
) -> Found:
    if best.encoded is None:
        raise RuntimeError("the search ended before anything was encoded")
    reached = None if best.probe is None else abs(best.probe.vmaf - target) <= TOLERANCE
    said = list(warnings)
    if best.probe is None:
        said.append("whether target_vmaf is reached is not known")
    elif not reached:
        said.append(
            f"target_vmaf {target:g} was not reached: the closest encode has {best.probe.vmaf:.2f}, "
            f"with crf {best.probe.crf:g}{_cap(best.encoded.settings)}"
        )
    told = Quality({"target_reached": reached}, tuple(said))
    return Found(told.added_to(_moved(task, best.encoded)), tuple(probes))


def _cap(settings: EncodeSettings) -> str:
    return "" if settings.rate.maxrate is None else f" and a maxrate of {settings.rate.maxrate} bit/s"


def _moved(task: Task, encoded: Encoded) -> Encoded:
    """The encode that is kept, with all its files, in the attempt's own directory."""
    own = encoded.path.parent
    for file in own.iterdir():
        file.rename(task.directory / file.name)
    own.rmdir()
    return replace(encoded, path=task.directory / encoded.path.name)
