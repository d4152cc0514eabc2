"""The state diagram of the architecture document has every transition of the code, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from common.model import Divisible, Failure, Findings, Job, JobStatus
from common.problems import Problem
from master.lifecycle import commands
from master.service import JobView, jobs, nodes, work
from master.service.farm import Farm
from master.store.told import Told
from tests.core.support import (
    AGENT,
    OPERATOR,
    SOURCE,
    FakeClock,
    claim,
    divisible,
    finish,
    job,
    make_farm,
    must_claim,
    parts,
    register,
    submit,
    tell,
)
from tests.docs.markdown import ROOT

Transition = tuple[str, str, str]
"""From, to, and the event."""


def drawn() -> set[Transition]:
    page = (ROOT / "docs/distributed_architecture_v1.md").read_text()
    diagram = page.split("```mermaid\n")[1].split("```")[0]
    return set(re.findall(r"^ +(\S+) --> (\S+): (\w+)$", diagram, flags=re.MULTILINE))


class Watched:
    """A farm with one node and one job, whose transitions are noted."""

    def __init__(
        self, directory: Path, max_attempts: int, parameters: dict[str, Any] | None = None, **fields: Any
    ) -> None:
        self.clock = FakeClock()
        self.farm: Farm = make_farm(directory, self.clock, max_attempts=max_attempts)
        self.seen: set[Transition] = set()
        self._status: dict[str, str] = {}
        self.farm.store.subscribe(self._note)
        caller = OPERATOR if parameters is None else AGENT
        self.node_id = register(self.farm, instance="first", caller=caller, media_roots=["films"])
        self.job_id = submit(self.farm, parameters=parameters or {}, **fields)
        self.view: JobView | None = None

    def _note(self, told: Told) -> None:
        for event in told.events:
            kind, key = event.key
            if kind is Job and (now := job(self.farm, key).job).twin_of is None:  # a twin is claimed at once
                after = str(now.status)
                self.seen.add((self._status.get(key, "[*]"), after, type(event).__name__))
                self._status[key] = after

    def claim(self) -> None:
        self.view = claim(self.farm, self.node_id) or self.view

    def report(self, status: JobStatus, code: str | None = None) -> None:
        if self.view is None:
            return
        error = None if code is None else Failure(code, "it went wrong")
        finish(self.farm, self.view, status, error=error)

    def release(self) -> None:
        lease = self.view.job.lease if self.view else None
        work.release(self.farm, OPERATOR, self.job_id, self.node_id, lease.lease_id if lease else None)

    def let_time_pass(self) -> None:
        self.clock.advance(1000)
        work.reap(self.farm)


VERBS: dict[str, Callable[[Watched], object]] = {
    "claim": Watched.claim,
    "complete": lambda w: w.report(JobStatus.COMPLETED),
    "fail, may be tried again": lambda w: w.report(JobStatus.FAILED, "encoder_killed"),
    "fail for good": lambda w: w.report(JobStatus.FAILED, "encoder_error"),
    "hand back": Watched.release,
    "let time pass": Watched.let_time_pass,
    "cancel": lambda w: jobs.change(w.farm, OPERATOR, w.job_id, commands.Cancel()),
    "pause": lambda w: jobs.change(w.farm, OPERATOR, w.job_id, commands.PauseJob()),
    "resume": lambda w: jobs.change(w.farm, OPERATOR, w.job_id, commands.ResumeJob()),
    "retry": lambda w: jobs.retry(w.farm, OPERATOR, w.job_id),
    "restart the agent": lambda w: register(w.farm, id=w.node_id, instance="second"),
    "remove the node": lambda w: nodes.remove(w.farm, OPERATOR, w.node_id),
}

WAYS: dict[str, tuple[str, ...]] = {
    "pending": (),
    "paused": ("pause",),
    "running": ("claim",),
    "completed": ("claim", "complete"),
    "failed": ("claim", "fail for good"),
    "canceled": ("cancel",),
}
"""The verbs that bring a job to each status."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> set[Transition]:
    """The transitions of a job in each status, with and without attempts left, by each verb."""
    found: set[Transition] = set()
    for status, way in WAYS.items():
        for verb in VERBS.values():
            for max_attempts in (1, 2):
                watched = Watched(tmp_path_factory.mktemp("farm"), max_attempts)
                for step in way:
                    VERBS[step](watched)
                assert job(watched.farm, watched.job_id).job.status == status
                with suppress(Problem):
                    verb(watched)
                watched.farm.store.close()
                found |= watched.seen
    return found | of_a_parent(tmp_path_factory) | of_a_chain(tmp_path_factory)


FAMILIES: tuple[tuple[str, ...], ...] = (
    ("claim", "plan", "claim", "complete"),
    ("claim", "plan", "cancel a part"),
    ("claim", "plan", "claim", "pause", "complete"),
    ("claim", "plan", "pause", "cancel a part"),
)
"""What happens to a job with one part."""


def of_a_parent(tmp_path_factory: pytest.TempPathFactory) -> set[Transition]:
    """The transitions of a job that is divided, and of its part."""
    found: set[Transition] = set()
    for way in FAMILIES:
        watched = Watched(tmp_path_factory.mktemp("farm"), 2, {"ladder": ["90p"]})
        for step in way:
            if step == "plan":
                assert watched.view is not None
                finish(watched.farm, watched.view, metrics=SOURCE)
            elif step == "cancel a part":
                part_id = parts(watched.farm, watched.job_id)[0].id
                jobs.change(watched.farm, OPERATOR, part_id, commands.Cancel())
            else:
                VERBS[step](watched)
        watched.farm.store.close()
        found |= watched.seen
    return found | not_divided(tmp_path_factory) | of_twins(tmp_path_factory)


TWINS: tuple[tuple[str, ...], ...] = (
    ("the twin is completed",),
    ("hand back", "the twin is completed"),
    ("hand back", "pause", "the twin is completed"),
    ("fail", "the twin fails"),
    ("fail", "pause", "the twin fails"),
)
"""What happens to a chunk that has a twin."""


def of_twins(tmp_path_factory: pytest.TempPathFactory) -> set[Transition]:
    """The transitions of the chunk, and of its file."""
    found: set[Transition] = set()
    broken = Failure("encoder_error", "it went wrong")
    for way in TWINS:
        split = {"split": 2, "crf": 23}
        watched = Watched(tmp_path_factory.mktemp("farm"), 2, split, input="media:films/a.mp4")
        farm, slow = watched.farm, watched.node_id
        finish(farm, must_claim(farm, slow), findings=Findings(divisible=divisible(others=False)))
        fast = register(farm, caller=AGENT, media_roots=["films"])
        quick, first = must_claim(farm, fast), must_claim(farm, slow)
        watched.clock.advance(10)
        finish(farm, quick)
        tell(farm, first, 60.0)
        twin = must_claim(farm, fast)
        for step in way:
            if step == "the twin is completed":
                finish(farm, twin)
            elif step == "pause":
                jobs.change(farm, OPERATOR, first.job.id, commands.PauseJob())
            elif step == "hand back":
                lease = first.job.lease
                work.release(farm, OPERATOR, first.job.id, slow, lease.lease_id if lease else None)
            else:
                finish(farm, first if step == "fail" else twin, JobStatus.FAILED, error=broken)
        farm.store.close()
        found |= watched.seen
    return found


def not_divided(tmp_path_factory: pytest.TempPathFactory) -> set[Transition]:
    """The transitions of a job that was to be split, and cannot be."""
    split = {"split": "auto", "crf": 23}
    watched = Watched(tmp_path_factory.mktemp("farm"), 2, split, input="media:films/a.mp4")
    VERBS["claim"](watched)
    assert watched.view is not None
    finish(watched.farm, watched.view, findings=Findings(divisible=Divisible("it has no end")))
    watched.farm.store.close()
    return watched.seen


CHAINS: tuple[tuple[str, ...], ...] = (
    ("claim", "complete"),
    ("cancel",),
    ("pause the other", "claim", "complete"),
    ("pause the other", "cancel"),
)
"""What happens to a job that another depends on."""


def of_a_chain(tmp_path_factory: pytest.TempPathFactory) -> set[Transition]:
    """The transitions of both."""
    found: set[Transition] = set()
    for way in CHAINS:
        watched = Watched(tmp_path_factory.mktemp("farm"), 2)
        other = submit(watched.farm, depends_on=[watched.job_id])
        for step in way:
            if step == "pause the other":
                jobs.change(watched.farm, OPERATOR, other, commands.PauseJob())
            else:
                VERBS[step](watched)
        watched.farm.store.close()
        found |= watched.seen
    return found


def test_every_transition_of_the_code_is_drawn(made: set[Transition]) -> None:
    assert made <= drawn()


def test_every_drawn_transition_can_happen(made: set[Transition]) -> None:
    assert drawn() <= made


def test_every_status_is_drawn_and_the_final_ones_end() -> None:
    page = (ROOT / "docs/distributed_architecture_v1.md").read_text()
    ends = set(re.findall(r"^ +(\w+) --> \[\*\]$", page, flags=re.MULTILINE))
    assert ends == {str(status) for status in JobStatus if status.final}
    assert {status for way in drawn() for status in way[:2]} == {"[*]", *map(str, JobStatus)}
