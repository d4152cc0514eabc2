"""Every rule in one table: which command is decided by which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from common.history import LOST_AT_MOST
from common.model import Now
from master.lifecycle import attempts, chains, credentials, families, jobs, nodes, tokens, twins, webhooks
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.consequences import consequences
from master.lifecycle.view import View


def decide(view: View, command: c.Command, now: Now) -> Sequence[e.Event]:
    """The events that `command` leads to, none if it changes nothing; `Problem` if refused."""
    happened = _RULES[type(command)](view, command, now)
    return [*happened, *consequences(view, happened, now)]


def _settle(view: View, command: c.Settle, now: Now) -> Sequence[e.Event]:
    return families.settle(view, command, now) or chains.settle(view, command, now)


def _pause_queue(view: View, _command: c.PauseQueue, now: Now) -> Sequence[e.Event]:
    return [] if view.farm.paused else [e.QueuePaused(now.wall)]


def _resume_queue(view: View, _command: c.ResumeQueue, now: Now) -> Sequence[e.Event]:
    return [e.QueueResumed(now.wall)] if view.farm.paused else []


def _start(_view: View, command: c.Start, now: Now) -> Sequence[e.Event]:
    return [e.MasterStarted(now.wall, command.start, command.history)]


def _rewind(view: View, command: c.Rewind, now: Now) -> Sequence[e.Event]:
    """A start of the master has told more than this state kept of it, or is not known here at all."""
    ends = {start: end for (start, _), (_, end) in pairwise(view.farm.starts)}
    heard = command.heard
    if view.farm.starts and heard.start == view.farm.starts[-1][0]:
        return []  # it goes on
    # Twice: what was lost, and what was added to numbers when that was restored from a copy itself.
    if heard.events > command.history + 2 * LOST_AT_MOST:
        return []  # no master can have said so
    known = max(ends.get(heard.start, 0), view.farm.attempts_above)
    return [e.HistoryRewound(now.wall, heard.events)] if heard.events > known else []


_RULES: dict[type, Callable[[View, Any, Now], Sequence[e.Event]]] = {
    c.Submit: jobs.submit,
    c.Cancel: jobs.cancel,
    c.PauseJob: jobs.pause,
    c.ResumeJob: jobs.resume,
    c.Settle: _settle,
    c.Disappoint: chains.unreadable,
    c.Claim: attempts.claim,
    c.ClaimTwin: twins.claim,
    c.Finish: attempts.finish,
    c.Release: attempts.release,
    c.Expire: attempts.expire,
    c.Register: nodes.register,
    c.Hear: nodes.hear,
    c.Approve: nodes.approve,
    c.Drain: nodes.drain,
    c.Resume: nodes.resume,
    c.Lose: nodes.lose,
    c.Leave: nodes.leave,
    c.Remove: nodes.remove,
    c.ReplaceCredential: credentials.replace,
    c.ConfirmCredential: credentials.confirm,
    c.Revoke: nodes.revoke,
    c.CreateToken: tokens.create,
    c.RevokeToken: tokens.revoke,
    c.ForgetToken: tokens.forget,
    c.CreateWebhook: webhooks.create,
    c.StopWebhook: webhooks.stop,
    c.ResumeWebhook: webhooks.resume,
    c.RotateWebhook: webhooks.rotate,
    c.ReplayWebhook: webhooks.replay,
    c.RemoveWebhook: webhooks.remove,
    c.PauseQueue: _pause_queue,
    c.ResumeQueue: _resume_queue,
    c.Start: _start,
    c.Rewind: _rewind,
}
