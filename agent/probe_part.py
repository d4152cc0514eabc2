"""Probes for a search that goes on elsewhere: how one is made, and what is read of those that were."""

from __future__ import annotations

from collections.abc import Sequence

from agent import steps
from agent.ffmpeg.samples import choose
from agent.inputs.measured import MeasuredInput
from agent.quality.compare import NoFilterError, NotMeasuredError
from agent.quality.measure import expected
from agent.sampling import probe_crf
from agent.task import Done, PartDone, Task
from common.model import CrfProbe, Findings
from common.result import metrics
from common.settings import EncodeSettings


def probe_part(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Done:
    """What samples are like with the CRF of `settings`; null where that cannot be told.

    That is no failure: whoever encodes the whole has the other probes, and makes its own.
    `FailedError`, `AbortedError`.
    """
    crf = settings.rate.crf
    frames = round(choose(settings.duration, made=given is None).seconds * settings.fps)
    task.tools.course.plan((steps.encode(settings, frames=frames), *expected(settings, ("vmaf",), frames)))
    try:
        probe = probe_crf(task, settings, given)
    except (NoFilterError, NotMeasuredError) as error:
        known = metrics(settings, more={"crf": crf, "vmaf_mean": None})
        return known, Findings(warnings=(f"samples of the input could not be measured: {error}",))
    more = {"crf": crf, "vmaf_mean": probe.vmaf, "bitrate": probe.bitrate}
    return metrics(settings, more=more), Findings(probes=(probe,))


def probes_of(parts: Sequence[PartDone]) -> list[CrfProbe]:
    """The probes that the parts of a job have made, without those that measured nothing."""
    probes = []
    for part in parts:
        crf, vmaf, bitrate = (_number(part, name) for name in ("crf", "vmaf_mean", "bitrate"))
        if crf is not None and vmaf is not None:
            probes.append(CrfProbe(crf, vmaf, bitrate, whole=False))
    return probes


def _number(part: PartDone, name: str) -> float | None:
    value = part.metrics.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
