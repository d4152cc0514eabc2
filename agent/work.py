"""The story of one encode: to its levels, its CRF and its repeats, and from there to where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agent import steps
from agent.encode import Encoded, encode, measured
from agent.inputs.measured import MeasuredInput
from agent.loudness import with_levels
from agent.pictures import DIRECTORY, make_pictures
from agent.probe_part import probes_of
from agent.produced import Produced
from agent.publish.rules import OutputFailedError
from agent.publish.step import prepare, publish
from agent.quality.measure import asked, expected, measure
from agent.renditions.measure import facts
from agent.repeat import Repeated, repeat
from agent.search import Found, search
from agent.stream.keep import keep
from agent.task import Done, FailedError, Task
from common.model import Confidence, CrfProbe, Findings, Scalar
from common.settings import CONTAINERS, EncodeSettings
from common.statistics import MIN_RUNS


@dataclass(frozen=True, slots=True)
class _Made:
    """An encode that is to be published."""

    encoded: Encoded
    """With its quality, if that was asked for."""
    repeated: Repeated
    probes: tuple[CrfProbe, ...]


def work(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Done:
    """Makes and publishes what one job wants that is no parent of others."""
    if given is None and settings.audio == "copy":  # the master would not have taken it
        raise FailedError("encoder_error", "without an input there is no sound to copy")
    pieces, source = CONTAINERS[settings.container].pieces, None if given is None else given.descriptor
    prepare(task, pieces=pieces, given=source)  # before hours are spent in vain
    made = _make(task, with_levels(task, settings, given), given)
    encoded = made.encoded
    task = replace(task, directory=encoded.path.parent)
    files = (*encoded.files, *_pictures(task, encoded, given))
    known = _known(task, made)
    task.tools.course.begin(steps.publish())
    try:
        published = publish(task, files, pieces=pieces, given=source)
    except OutputFailedError as error:
        raise FailedError(error.code, str(error), known) from error
    findings = Findings(published.artifacts, made.repeated.repeats, made.probes, encoded.warnings)
    return {**known, "output_path": published.path}, findings


def _make(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> _Made:
    if task.assignment.parameters.get("record") and given is not None:
        kept = keep(task, settings, given)
        return _Made(kept, Repeated.once(kept), ())
    methods, confidence = asked(task.assignment.parameters, settings), task.assignment.confidence
    found: Found | None = None
    if settings.rate.target_vmaf is not None:
        alone = confidence is Confidence.AUTO
        after = [] if alone else [*steps.repeats(settings, MIN_RUNS), *expected(settings, methods)]
        known = probes_of(task.assignment.parts)
        found = search(task, settings, given, methods, encode, known, (*after, steps.publish()))
        if alone:
            return _Made(found.encoded, Repeated.once(found.encoded), found.probes)
        settings = found.encoded.settings  # with the CRF that was found
    after = [*expected(settings, methods), steps.publish()]
    repeated = repeat(task, settings, given, after=after)
    own = replace(task, directory=repeated.kept.path.parent)
    encoded = measure(own, repeated.kept, given, methods).added_to(repeated.kept)
    if found is None:
        return _Made(encoded, repeated, ())
    first = found.encoded
    warnings = tuple(dict.fromkeys((*encoded.warnings, *first.warnings)))
    encoded = replace(encoded, known={**first.known, **encoded.known}, warnings=warnings)
    return _Made(encoded, repeated, found.probes)


def _known(task: Task, made: _Made) -> dict[str, Scalar]:
    encoded = made.encoded
    more: Mapping[str, Scalar] = {
        **encoded.known,
        **made.repeated.metrics(task.tools.account.means.prices),
        **facts(task.directory, encoded.files),
    }
    return measured(encoded.settings, encoded.ffmpeg, encoded.argv, encoded.ended, encoded.probed, more=more)


def _pictures(task: Task, encoded: Encoded, given: MeasuredInput | None) -> list[Produced]:
    if given is None or task.assignment.parameters.get("pictures") is not True:
        return []
    _, made = make_pictures(task, encoded.ffmpeg, encoded.settings, given)
    return [replace(each, name=f"{DIRECTORY}/{each.name}") for each in made]
