"""The rules of webhooks: when one is told of events, and with which secrets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from common.model import Now, WebhookStatus
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.view import View

MOST_BEFORE = 4
"""Secrets that hold beside the newest one."""


def create(_view: View, command: c.CreateWebhook, now: Now) -> Sequence[e.Event]:
    """Make it."""
    return [e.WebhookCreated(command.webhook, now.wall)]


def stop(view: View, command: c.StopWebhook, now: Now) -> Sequence[e.Event]:
    """Hold it back; the reason that it is held back for already stays."""
    webhook = view.the_webhook()
    if webhook.status is not WebhookStatus.ACTIVE:
        return []
    return [e.WebhookStopped(webhook.id, now.wall, command.status, command.reason)]


def resume(view: View, _command: c.ResumeWebhook, now: Now) -> Sequence[e.Event]:
    """Let it be told again, whatever it was held back for."""
    webhook = view.the_webhook()
    return [] if webhook.status is WebhookStatus.ACTIVE else [e.WebhookResumed(webhook.id, now.wall)]


def rotate(view: View, command: c.RotateWebhook, now: Now) -> Sequence[e.Event]:
    """Give it another secret.

    One that still holds goes on to do so: if the answer was lost, the receiver has none of those since.
    """
    webhook = view.the_webhook()
    until = now.wall + timedelta(seconds=command.overlap)
    holds = webhook.replaced_until is not None and now.wall < webhook.replaced_until
    oldest = max(webhook.oldest if holds else webhook.generation, webhook.generation + 1 - MOST_BEFORE)
    return [e.WebhookRotated(webhook.id, now.wall, webhook.generation + 1, until, oldest)]


def replay(view: View, command: c.ReplayWebhook, now: Now) -> Sequence[e.Event]:
    """Tell it anew, as soon as it is active."""
    return [e.WebhookReplayed(view.the_webhook().id, now.wall, command.after)]


def remove(view: View, _command: c.RemoveWebhook, now: Now) -> Sequence[e.Event]:
    """Remove it; requests that are under way may still arrive."""
    return [e.WebhookRemoved(view.the_webhook().id, now.wall)]
