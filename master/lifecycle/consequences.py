"""What follows for other jobs from what happened to one: for all rules, in one place."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from common.model import Job, Now
from master.lifecycle import events as e
from master.lifecycle.chains import Chains
from master.lifecycle.families import Family
from master.lifecycle.view import View


def consequences(view: View, happened: Sequence[e.Event], now: Now) -> list[e.Event]:
    """What `happened` leads to in families and along chains of jobs, and what that leads to, to the end."""
    if not view.family:
        concerned = {event.job_id for event in happened if isinstance(event, e.JobEvent)}
        if not any(map(view.links.dependents, concerned)):
            return []
    known = [*view.held, *([view.job] if view.job is not None else []), *view.family]
    family = Family({job.id: job for job in known}, now)
    chains = Chains(view.links, now)
    following: list[e.Event] = []
    for event in happened:
        family.note(event)
    waiting = deque(happened)
    while waiting:
        for event in _after(waiting.popleft(), family, chains, view):
            family.note(event)
            following.append(event)
            waiting.append(event)
    return following


def _after(event: e.Event, family: Family, chains: Chains, view: View) -> list[e.Event]:
    """What one event leads to, next to it."""
    found = family.follow(event)
    job = family.jobs.get(event.job_id) if isinstance(event, e.JobEvent) else None
    if job is None or not job.status.final:
        return found
    further = chains.follow(job, family.jobs)
    for each in further:
        _learn(each, family, view)
    return [*found, *further]


def _learn(event: e.Event, family: Family, view: View) -> None:
    """Whom a chain leads to may have a family of its own."""
    assert isinstance(event, e.JobEvent)  # noqa: S101 - that is what chains lead to
    if event.job_id in family.jobs:
        return
    job = view.links.job(event.job_id)
    relatives: Sequence[Job] = view.links.family(event.job_id) or ((job,) if job is not None else ())
    for each in relatives:
        family.jobs.setdefault(each.id, each)
