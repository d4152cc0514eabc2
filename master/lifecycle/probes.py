"""The search for `target_vmaf` as a family: its parts are its first probes, on several nodes at once.

One node alone does better with one probe after the other, each where the last ones say that the
target should be. Several nodes have several probes in the time of one, so these are spread, and
whoever encodes the whole begins its search from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from common.crf import SCALES, spread
from common.model import Job, Report, Stage
from common.scenarios import SCENARIOS
from common.streams import is_stream
from master.lifecycle.parts import MAX_WARNINGS, Able, Kind, Part, needs_of

LEAST, MOST = 2, 4
"""Parts. More than four would be more than most searches take in all."""
OF_THE_PARENT = ("target_vmaf", "quality", "energy", "pictures")
"""Parameters that are not the probes': what is done with the whole output."""


def _at_submit(job: Job, able: Able) -> Sequence[Part]:
    """As many probes as there are nodes for them, and none where one node has to do all of it.

    Nor where they would have nothing in common: a live stream is another one each time, and
    which hardware encodes what is asked for is settled by each node for itself.
    """
    scenario, target = SCENARIOS.get(job.scenario), job.parameters["target_vmaf"]
    hardware = job.parameters.get("hwaccel", "none") != "none"
    if scenario is None or hardware or is_stream(job.input or "") or not isinstance(target, int | float):
        return []
    count = min(MOST, able(needs_of(job, Stage.PROBE)))
    if count < LEAST:
        return []
    codec = str(job.parameters.get("codec", scenario.codec))
    kept = {name: value for name, value in job.parameters.items() if name not in OF_THE_PARENT}
    return [
        Part(f"crf-{crf:g}", {**kept, "crf": crf}, Stage.PROBE)
        for crf in spread(target, SCALES[codec], count)
    ]


def _joined(_job: Job, parts: Sequence[Job], report: Report, _at: datetime) -> Report:
    """The encode's own report, in which the parts' probes are; and what the parts had to say."""
    said = [f"{part.part}: {text}" for part in parts for text in part.findings.warnings]
    warnings = (*said, *report.findings.warnings)[:MAX_WARNINGS]
    return replace(report, findings=replace(report.findings, warnings=warnings))


PROBES = Kind(joined=_joined, at_submit=_at_submit)
