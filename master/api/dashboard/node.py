"""The page of a node: what it is, what it does, how it did lately, and why an encoder does not work there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from common.timestamps import timestamp
from master.api.answers import farm
from master.api.dashboard.page import blueprint, page
from master.api.dashboard.sparkline import Sparkline, sparkline
from master.api.dashboard.words import UNKNOWN
from master.api.documents import job_document, node_document
from master.service import nodes
from master.store.recent import Ended
from master.store.samples import Sample


@blueprint.get("/ui/nodes/<node_id>")
def node(node_id: str) -> Response:
    """One node."""
    view, running, ended, samples = nodes.recent(farm(), node_id)
    document = node_document(view)
    return page(
        "node.html",
        node=document,
        running=[job_document(each) for each in running],
        ended=[_ended(each) for each in ended],
        lines=_lines(samples, document["max_concurrent_jobs"]),
        span=samples[-1].mono - samples[0].mono if samples else 0.0,
        slots_taken=view.node.slots_taken(view.held),
    )


def _ended(attempt: Ended) -> dict[str, Any]:
    return {
        "job_id": attempt.job_id,
        "number": attempt.number,
        "scenario": attempt.scenario,
        "started_at": timestamp(attempt.started_at),
        "ended_at": timestamp(attempt.ended_at),
        "seconds": max(0.0, (attempt.ended_at - attempt.started_at).total_seconds()),
        "outcome": attempt.outcome,
        "error": None if attempt.code is None else {"code": attempt.code, "message": attempt.message},
    }


def _lines(samples: Sequence[Sample], slots: int) -> list[Sparkline]:
    times = [taken.mono for taken in samples]
    return [
        sparkline("CPU", times, [taken.load.cpu for taken in samples], _percent, 1.0),
        sparkline("Memory", times, [taken.load.memory for taken in samples], _percent, 1.0),
        sparkline("Jobs", times, [float(taken.running) for taken in samples], _whole, float(slots)),
        sparkline("Frames per second", times, [taken.fps for taken in samples], _tenths),
        sparkline("Speed", times, [taken.speed for taken in samples], _times),
    ]


def _percent(value: float | None) -> str:
    return UNKNOWN if value is None else f"{100 * value:.0f} %"


def _whole(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.0f}"


def _tenths(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:,.1f}"


def _times(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}×"
