"""From a matrix to its jobs: pure. Repeats come last, so that they are spread over the experiment's time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from common.scenarios import SCENARIOS
from common.schema import MAX_BATCH, SubmitSchema
from common.settings import UnsuitableError, parse_bitrate, resolve
from master.operator.matrix.document import Lines, MatrixError, place

MOST_LOOKED_AT = 100_000
"""Combinations, before `exclude`."""
_TOLD = 10
"""Combinations that do not fit, which are named one by one."""
_RATES = {"bitrates": "bitrate", "crf": "crf", "target_vmaf": "target_vmaf"}

Job = dict[str, Any]
"""A job as it is sent."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """An experiment."""

    name: str
    jobs: tuple[Job, ...]
    """All of them, repeats too."""
    repeat: int

    @property
    def key(self) -> str:
        """The same for the same jobs, and only for them: what makes sending them safe to repeat."""
        text = json.dumps(self.jobs, sort_keys=True, ensure_ascii=True)
        return f"matrix {hashlib.sha256(text.encode()).hexdigest()}"

    @property
    def unique(self) -> tuple[Job, ...]:
        """The jobs without their repeats."""
        return self.jobs[: len(self.jobs) // self.repeat]

    def asks_for(self) -> Callable[[Mapping[str, Any]], bool]:
        """Tells whether a job (or a report's record of it) asks for the same encode as one of the matrix."""
        known = {_same(job) for job in self.unique}
        return lambda record: _same(record) in known


def expand(loaded: Mapping[str, Any], lines: Lines) -> Matrix:
    """The jobs of a loaded `MatrixSchema`; `MatrixError` if any of them could never run, or none is left."""
    kept, used = [], [False] * len(loaded["excluded"])
    for number, job in enumerate(_combinations(loaded), start=1):
        if number > MOST_LOOKED_AT:
            raise MatrixError(f"it has more than {MOST_LOOKED_AT:,} combinations, before exclude")
        hits = [n for n, rule in enumerate(loaded["excluded"]) if _excluded(job, rule)]
        for n in hits:
            used[n] = True
        if not hits:
            kept.append(job)
    if False in used:
        unused = used.index(False)
        raise MatrixError(f"{place(('exclude', unused), lines)}: no combination has this; is it misspelt?")
    if not kept:
        raise MatrixError("exclude leaves nothing over")
    count = len(kept) * loaded["repeat"]
    if count > MAX_BATCH:
        raise MatrixError(f"it has {count:,} jobs, and one experiment may have {MAX_BATCH:,}")
    _check(kept)
    return Matrix(loaded["name"], tuple(kept * loaded["repeat"]), loaded["repeat"])


def _combinations(loaded: Mapping[str, Any]) -> Iterator[Job]:
    for scenario in loaded["scenarios"]:
        for source in loaded["inputs"]:
            codecs = loaded["codecs"] or {SCENARIOS[scenario].codec: {}}
            for codec, own in codecs.items():
                fixed = {**loaded["parameters"], **own.get("parameters", {})}
                if loaded["codecs"]:
                    fixed["codec"] = codec
                for preset in own.get("presets") or loaded.get("presets") or [None]:
                    for rate in _rates(own) or _rates(loaded) or [{}]:
                        chosen = {} if preset is None else {"preset": preset}
                        yield _job(loaded, scenario, source, {**fixed, **chosen, **rate})


def _rates(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{one: value} for many, one in _RATES.items() for value in given.get(many, [])]


def _job(loaded: Mapping[str, Any], scenario: str, source: str | None, parameters: dict[str, Any]) -> Job:
    if "quality" in loaded:
        parameters["quality"] = list(loaded["quality"])
    if isinstance(parameters.get("ladder"), tuple):
        parameters["ladder"] = list(parameters["ladder"])
    job: Job = {"scenario": scenario, "parameters": parameters, "confidence": str(loaded["confidence"])}
    if source is not None:
        job["input"] = source
    if "output" in loaded:
        job["output"] = loaded["output"]
    job["priority"] = str(loaded["priority"])
    if loaded["constraints"] is not None:
        job["constraints"] = {
            **loaded["constraints"],
            "encoders": list(loaded["constraints"]["encoders"]),
        }
    return job


def _excluded(job: Job, rule: Mapping[str, Any]) -> bool:
    """Whether the job has one of the values of each axis that the rule names."""
    parameters = job["parameters"]
    has = {
        "scenario": job["scenario"],
        "input": job.get("input"),
        "codec": parameters.get("codec", SCENARIOS[job["scenario"]].codec),
        **{name: parameters.get(name) for name in ("preset", "crf", "target_vmaf")},
        "bitrate": _bits(parameters.get("bitrate")),
    }
    return bool(rule) and all(
        has[axis] in [_bits(value) if axis == "bitrate" else value for value in values]
        for axis, values in rule.items()
    )


def _bits(bitrate: Any) -> int | None:
    return None if bitrate is None else parse_bitrate(str(bitrate))


def _check(jobs: Sequence[Job]) -> None:
    """`MatrixError` that names the combinations that the master would refuse, or that come twice."""
    wrong, seen = [], set()
    for job in jobs:
        problem = _problem(job)
        same = _same(job, by_bits=True)
        if problem is None and same in seen:
            problem = "it comes twice; to repeat encodes, write repeat: 3"
        seen.add(same)
        if problem is not None:
            wrong.append(f"{describe(job)}: {problem}")
    if wrong:
        more = f"\n  and {len(wrong) - _TOLD:,} more" if len(wrong) > _TOLD else ""
        told = "".join(f"\n  {line}" for line in wrong[:_TOLD])
        raise MatrixError(
            f"{len(wrong):,} of {len(jobs):,} combinations do not fit; nothing was sent:{told}{more}\n"
            "Give presets and rates for each codec, or name what is to be left out under exclude."
        )


def _problem(job: Job) -> str | None:
    """Why the master would refuse the job, if it would."""
    try:
        loaded = SubmitSchema().load(job)
        resolve(SCENARIOS[job["scenario"]], loaded["parameters"])
    except ValidationError as error:
        return json.dumps(error.messages, ensure_ascii=False)
    except UnsuitableError as error:
        return str(error)
    return None


def describe(job: Job) -> str:
    """The job in one line: its place in the matrix."""
    parts = [job["scenario"], job.get("input")]
    parts += [f"{name}={value}" for name, value in job["parameters"].items() if name != "quality"]
    return ", ".join(part for part in parts if part)


def _same(job: Mapping[str, Any], *, by_bits: bool = False) -> Any:
    """What two jobs have in common if they ask for the same encode."""
    parameters = dict(job["parameters"])
    if by_bits and "bitrate" in parameters:
        parameters["bitrate"] = _bits(parameters["bitrate"])
    flat = tuple(
        sorted((name, tuple(v) if isinstance(v, list | tuple) else v) for name, v in parameters.items())
    )
    return (job["scenario"], job.get("input"), str(job["confidence"]), flat)
