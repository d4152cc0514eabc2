"""What a watch does with each file that it finds: it becomes a job, once."""

from __future__ import annotations

import hashlib
import re
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import click
import requests

from common import paths
from common.client import ApiError, MasterClient
from common.inputs import FILE
from common.trust import TrustError, causes, explain
from master.operator.folder import Rules, Settling, State, is_being_written, look
from master.operator.seen import Seen
from master.operator.sending import ChangedError, LaterError, Sender

_PAUSES = (1.0, 60.0)
"""Seconds before the master is asked again when it is away: the first time, and at most."""
_LATER = (5.0, 300.0)
"""Seconds before a file that cannot be sent now is tried again: the first time, and at most."""
FIELD = re.compile(r"\{(path|stem)\}")
"""What is replaced in an output."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is submitted of which folder."""

    folder: bytes
    below: bytes
    """What the nodes call the folder below their media root; empty, or with `/` at its end."""
    root: str | None
    """The media root; None: nodes do not see the folder, and its files are sent to the master."""
    job: Mapping[str, Any]
    """The request, without input and output."""
    output: str | None = None
    """With `{path}` and `{stem}` for what differs from file to file."""

    def request(self, path: bytes, sha256: str | None = None) -> dict[str, Any]:
        """The job that is made of the file at `path` below the folder, sent to the master as `sha256`."""
        seen = f"media:{self.root}/{paths.to_text(self.below + path)}"
        place = seen if sha256 is None else f"{FILE}{sha256}"
        fields = {"path": paths.to_text(path), "stem": paths.to_text(_stem(path))}
        goal = None if self.output is None else FIELD.sub(lambda match: fields[match[1]], self.output)
        return {**self.job, "input": place, **({} if goal is None else {"output": goal})}

    @property
    def name(self) -> str:
        """Tells watches apart: the same folder may be watched for several scenarios."""
        text = b"\0".join((self.folder, str(self.job["scenario"]).encode()))
        return hashlib.sha256(text).hexdigest()[:16]

    def key(self, path: bytes, state: State) -> str:
        """The request's Idempotency-Key: the same however often this file is submitted."""
        what = f"{self.name} {state.inode} {state.modified} {state.size} ".encode() + path
        return f"watch-{hashlib.sha256(what).hexdigest()}"


def _stem(path: bytes) -> bytes:
    """The path without the last suffix of its name."""
    directory, slash, name = path.rpartition(b"/")
    stem, _, _ = name.rpartition(b".")
    return directory + slash + (stem or name)


@dataclass(frozen=True, slots=True)
class _Later:
    """A file that could not be sent."""

    state: State
    pause: float
    """Seconds that were waited for last."""
    due: float
    """When it is tried again, on a clock that nobody sets."""


@dataclass(slots=True)
class Loop:
    """One watch under way. A signal may end it anywhere: nothing is lost, see `Watch.key`."""

    watch: Watch
    rules: Rules
    seen: Seen
    connect: Callable[[], MasterClient]
    said: Callable[[str, str], None]
    interval: float
    settling: Settling
    sender: Sender
    refused: dict[bytes, State] = field(default_factory=dict)
    """What the master will not take however often it is asked."""
    later: dict[bytes, _Later] = field(default_factory=dict)
    """What could not be sent when it was tried last."""
    away: bool = False
    """Whether the folder could not be read when we looked last."""

    def run(self, *, once: bool) -> None:
        """Until a signal comes; with `once` until all that is there now was submitted, or tried."""
        while True:
            for path, state in self._new():
                self._submit(path, state)
            if once and not self._waiting():
                return
            time.sleep(self.interval)

    def not_taken(self) -> int:
        """How many files were seen last and are no jobs."""
        return len(self.refused) + len(self.later)

    def _waiting(self) -> bool:
        """Whether anything has still to prove that it is whole, or has not been tried since."""
        return any(
            self.later.get(p) is None or self.later[p].state != s for p, s in self.settling.unsettled()
        )

    def _new(self) -> list[tuple[bytes, State]]:
        """What is whole, was not submitted yet, and is due."""
        try:
            found = [
                (path, state)
                for path, state in look(self.watch.folder, self.rules)
                if self.refused.get(path) != state and not self.seen.has(state)
            ]
        except OSError as error:
            if not self.away:
                click.echo(f"cannot read the folder: {error.strerror}; trying again", err=True)
            self.away = True
            return []
        self.away = False
        now = time.monotonic()
        whole = self.settling.whole(found, now)
        there = dict(found)
        self.later = {path: later for path, later in self.later.items() if there.get(path) == later.state}
        due = [(p, s) for p, s in whole if p not in self.later or self.later[p].due <= now]
        return [(p, s) for p, s in due if not is_being_written(self.watch.folder + b"/" + p)]

    def _submit(self, path: bytes, state: State) -> None:
        pause, most = _PAUSES
        name = paths.to_text(path)
        while True:
            try:
                job_id = self._ask(path, state)
            except _AwayError as error:
                click.echo(f"{error}; trying again in {pause:.0f} s", err=True)
                time.sleep(pause)
                pause = min(most, 2 * pause)
                continue
            except ChangedError:
                click.echo(f"{name} changed while it was sent; it is sent when it is whole", err=True)
                return
            except LaterError as error:
                click.echo(f"{name} is not taken now: {error} {self._put_off(path, state)}", err=True)
                return
            self.later.pop(path, None)
            if job_id is None:
                self.refused[path] = state
            else:
                self.seen.add(path, state, job_id)
                self.sender.forget(state)
                self.said(job_id, name)
            return

    def _put_off(self, path: bytes, state: State) -> str:
        """Try it later again; says when."""
        before = self.later.get(path)
        pause = _LATER[0] if before is None else min(_LATER[1], 2 * before.pause)
        self.later[path] = _Later(state, pause, time.monotonic() + pause)
        return f"It is tried again in {pause:.0f} s."

    def _ask(self, path: bytes, state: State) -> str | None:
        """The id of the job that the file has become; None if the master refuses it for good."""
        try:
            client = self.connect()
            sha256 = None
            if self.watch.root is None:
                sha256 = self.sender.send(client, self.watch.folder + b"/" + path, state)
            return str(client.submit(self.watch.request(path, sha256), self.watch.key(path, state))["id"])
        except TrustError as error:
            raise click.ClickException(str(error)) from error
        except ApiError as error:
            if error.temporary:
                raise _AwayError(str(error)) from error
            if error.slug == "key_reused":  # by a watch with other parameters, before it was killed
                return str(error.problem.get("job_id"))
            if error.slug == "unknown_file":  # somebody removed what we have just sent
                raise LaterError(str(error)) from error
            if error.status in (401, 403):
                raise click.ClickException(str(error)) from error
            click.echo(f"{paths.to_text(path)} is not taken: {error}", err=True)
            return None
        except (OSError, requests.RequestException) as error:
            # Whom to trust does not change by itself; a connection may break in the middle of TLS, too.
            if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
                raise click.ClickException(explain(error)) from error
            raise _AwayError("the master cannot be reached") from error


class _AwayError(Exception):
    """The master cannot take anything now."""
