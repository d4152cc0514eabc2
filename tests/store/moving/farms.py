"""Farms to move: one with a bit of everything that records can say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from common.model import Failure, JobStatus, Role, Webhook
from common.schema import SubmitSchema, TokenSchema
from master.lifecycle import commands
from master.service import Caller, Farm, jobs, nodes, tokens
from master.service.farm import new_id
from master.store.moving.contents import Contents, contents_of
from master.store.moving.move import Place
from master.store.postgres.store import PostgresStore
from master.submission import Key
from tests.core import support
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    FakeClock,
    claim,
    crash,
    divide,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.databases import tests_time


@contextmanager
def embedded_farm(state_dir: Path, clock: FakeClock) -> Iterator[Farm]:
    """A farm whose records are in its state directory; it is killed in the end."""
    farm = make_farm(state_dir, clock)
    try:
        yield farm
    finally:
        crash(farm.store)


@contextmanager
def shared_farm(url: str, state_dir: Path, clock: FakeClock) -> Iterator[Farm]:
    """A farm whose records are in a database."""
    with patch.object(support, "make_store", lambda *_: PostgresStore(url, moment=tests_time)):
        farm = make_farm(state_dir, clock)
    try:
        yield farm
    finally:
        crash(farm.store)


def live_a_little(farm: Farm, clock: FakeClock) -> None:
    """Jobs in every state, families, chains, a batch's keys, tokens, credentials and webhooks."""
    first = register(farm, "worker-01", AGENT, credential="a" * 43)
    second = register(farm, "worker-02", AGENT, labels={"site": "north"}, max_concurrent_jobs=3)
    tokens.create(farm, OPERATOR, TokenSchema().load({"role": "submitter", "name": "films", "ttl": 86400}))
    tokens.create(farm, OPERATOR, TokenSchema().load({"role": "join", "ttl": 60}))
    hook = Webhook(new_id(), "chat", "https://hooks.example.com/", ("job_failed",), farm.clock().wall, 7)
    with farm.store.transaction(farm.clock()) as tx:
        farm.decide(tx, commands.CreateWebhook(hook))
    submit(farm)
    finish(farm, must_claim(farm, first))
    failed = submit(farm)
    view = must_claim(farm, first)
    finish(farm, view, JobStatus.FAILED, error=Failure("encoder_error", "ffmpeg refused: 'é\u2028'"))
    family = submit(farm, parameters=LADDER)
    divide(farm, first, family)
    submit(farm, depends_on=[family], priority="high")
    jobs.retry(farm, OPERATOR, failed)
    clock.advance(7)
    body = SubmitSchema().load({"scenario": "720p-h264", "constraints": {"labels": {"site": "north"}}})
    jobs.submit(farm, Caller(Role.SUBMITTER, name="films"), body, Key("nightly", "a body"))
    paused = submit(farm, priority="low")
    jobs.change(farm, OPERATOR, paused, commands.PauseJob())
    jobs.change(farm, OPERATOR, submit(farm), commands.Cancel())
    must_claim(farm, second)
    retried = must_claim(farm, second)
    finish(farm, retried, JobStatus.FAILED, error=Failure("encoder_killed", "a signal"))  # it has a backoff
    nodes.change(farm, OPERATOR, first, commands.Drain())
    clock.advance(3600)


def contents(place: Place) -> Contents:
    """What is in a place where nobody is."""
    with place.held(make=False):
        return contents_of(place.reading())


def given(farm: Farm, clock: FakeClock, node_id: str) -> list[str]:
    """The ids of all jobs that wait, in the order in which a node gets them."""
    clock.advance(3600)
    found = []
    while (view := claim(farm, node_id)) is not None:
        found.append(view.job.id)
    return found
