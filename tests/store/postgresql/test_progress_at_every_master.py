"""Who watches at one master sees how far attempts are that tell it another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial

from common.sse import Event
from master.live import Report, relay
from master.service import Farm
from master.store import codec
from tests.core.support import FakeClock, finish, must_claim, register, submit
from tests.store.postgresql.conftest import Masters, until
from tests.store.postgresql.listening import all_events, say


def is_frame(event: Event, frame: int) -> bool:
    return event.name == "progress" and json.loads(event.data)["progress"]["frame"] == frame


def test_progress_that_is_told_one_master_is_seen_at_the_other(masters: Masters) -> None:
    first, second = masters(2)
    submit(first)
    view = must_claim(first, register(first))
    with all_events(second) as ear:
        say(first, view, 25)
        heard = ear.hears(partial(is_frame, frame=25))
        assert json.loads(heard.data)["job_id"] == view.job.id


def test_who_begins_to_watch_sees_what_was_told_last_before(masters: Masters) -> None:
    first, second = masters(2)
    submit(first)
    view = must_claim(first, register(first))
    say(first, view, 25)
    with all_events(second) as ear:
        ear.hears(partial(is_frame, frame=25))


def test_nothing_is_passed_on_as_long_as_nobody_watches(masters: Masters) -> None:
    first, second = masters(2)
    said: list[str] = []
    for topic in (relay.REPORT, relay.GREW, "the-last"):
        second.store.talk.hear(topic, said.append)
    submit(first)
    view = must_claim(first, register(first))
    say(first, view, 25, "a line")
    first.store.talk.say("the-last", "word")
    until(lambda: said != [])
    assert said == ["word"]


def test_what_comes_late_of_an_attempt_that_is_over_is_not_shown(masters: Masters, clock: FakeClock) -> None:
    first, second = masters(2)
    submit(first)
    node_id = register(first)
    view = must_claim(first, node_id)
    with all_events(second) as ear:
        say(first, view, 25)
        ear.hears(partial(is_frame, frame=25))
        late = shown(first, view.job.id)
        clock.advance(1)
        finish(second, view)
        ear.hears(lambda event: event.name == "job_completed")
        second.live._relay._hear(late)  # type: ignore[union-attr]
        submit(first)
        again = must_claim(first, node_id)
        clock.advance(1)
        say(first, again, 7)
        ear.hears(partial(is_frame, frame=7))
        names = [event.name for event in ear.heard]
        assert frames(ear.heard[names.index("job_completed") :]) == [7]


def shown(farm: Farm, job_id: str) -> str:
    """What this master tells the others of a job's progress."""
    assert farm.live._relay is not None
    return codec.encode_value(farm.live._relay._own[job_id], Report)


def frames(heard: Sequence[Event]) -> list[int]:
    found = [json.loads(event.data) for event in heard if event.name == "progress"]
    return [each["progress"]["frame"] for each in found]
