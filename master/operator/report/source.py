"""Where a report's records come from: a master, or files that earlier reports were saved in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from marshmallow import INCLUDE, Schema, ValidationError, fields

from common import strictjson
from common.client import MasterClient
from common.model import Stage
from master.operator.report.runs import Record

FORMAT = "ffrtmp-report-1"
"""What a saved report says it is."""
Wanted = Callable[[Record], bool]


@dataclass(slots=True)
class Records:
    """What a report tells of."""

    finished: list[Record] = field(default_factory=list)
    waiting: int = 0
    """Jobs that are wanted too, and have no result yet."""
    origin: str = ""
    """Where they come from, for people."""


class _RecordSchema(Schema):
    """A finished job in a saved report."""

    class Meta:
        """marshmallow's settings."""

        unknown = INCLUDE

    job_id = fields.String(required=True)
    node = fields.String(required=True, allow_none=True)
    scenario = fields.String(required=True)
    input = fields.String(required=True, allow_none=True)
    parameters = fields.Dict(keys=fields.String(), required=True)
    confidence = fields.String(required=True)
    status = fields.String(required=True)
    completed_at = fields.String(required=True, allow_none=True)
    metrics = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    repeats = fields.List(fields.Dict(keys=fields.String()), required=True)
    error = fields.Dict(keys=fields.String(), required=True, allow_none=True)


def record(result: dict[str, Any], job: dict[str, Any], node: str | None) -> Record:
    """What a report needs of a finished job."""
    return {
        "job_id": result["job_id"],
        "node": node,
        "scenario": result["scenario"],
        "input": job.get("input"),
        "parameters": job["parameters"],
        "confidence": job["confidence"],
        "status": result["status"],
        "completed_at": result["completed_at"],
        "metrics": result["metrics"],
        "repeats": result.get("repeats") or [],
        "error": result["error"],
    }


def from_master(client: MasterClient, ids: Sequence[str], wanted: Wanted) -> Records:
    """The wanted ones of all jobs that the master remembers; or those with these ids."""
    names = {node["id"]: node["address"] for node in client.nodes()}
    found = Records(origin=client.address.url)
    if ids:
        pairs: Iterable[tuple[dict[str, Any], dict[str, Any]]] = (
            (client.result(job_id), client.job(job_id)) for job_id in ids
        )
    else:
        # Results first: a job that is finished in between has a result and is not in the way.
        results = {result["job_id"]: result for result in client.results()}
        jobs = list(client.jobs())
        waiting = (job for job in jobs if job["finished_at"] is None and not _is_between(job))
        found.waiting = sum(1 for job in waiting if wanted(_unfinished(job)))
        pairs = ((results[job["id"]], job) for job in jobs if job["id"] in results)
    for result, job in pairs:
        # What prepares, probes or joins encodes nothing that could be compared.
        if job.get("stage", "encode") == "encode":
            node = names.get(result["node_id"], result["node_id"])
            if wanted(made := record(result, job, node)):
                found.finished.append(made)
    return found


def _is_between(job: dict[str, Any]) -> bool:
    """Whether it makes nothing that is an output itself; of a newer master's stages nothing is known."""
    return job.get("stage") in [stage.value for stage in Stage if stage.between]


def _unfinished(job: dict[str, Any]) -> Record:
    return {**job, "job_id": job["id"], "completed_at": None, "metrics": None}


def from_files(paths: Sequence[Path], wanted: Wanted) -> Records:
    """The wanted records of saved reports, each job once; a usage error if a file is none."""
    found = Records(origin=", ".join(path.name for path in paths))
    seen = set()
    for path in paths:
        for one in _saved(path):
            if one["job_id"] not in seen and wanted(one):
                seen.add(one["job_id"])
                found.finished.append(one)
    return found


def _saved(path: Path) -> list[dict[str, Any]]:
    try:
        document = strictjson.loads(path.read_bytes())
        known = isinstance(document, dict) and document.get("format") == FORMAT
        if known:
            return list(_RecordSchema().load(document.get("records") or [], many=True))
        problem = f"it does not say that it is {FORMAT}; save one with: ffrtmp report -o FILE.json"
    except OSError as error:
        raise click.BadParameter(f"cannot read {path}: {error.strerror}", param_hint="--from") from error
    except ValidationError as error:
        problem = f"records: {_first(error.messages)}"
    except strictjson.StrictJSONError as error:
        problem = str(error)
    raise click.BadParameter(f"{path} is no saved report: {problem}", param_hint="--from")


def _first(messages: Any) -> str:
    """The first complaint, with its place."""
    place = []
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        place.append(str(key))
    text = messages[0] if isinstance(messages, list) else messages
    return f"{'.'.join(place)}: {text}"
