"""`ffrtmp webhooks`: who is told of what happens, by requests that the master sends."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import click

from common.client import MasterClient
from common.clock import system_clock
from common.durations import parse_duration
from common.options import DURATION
from common.timestamps import timestamp
from master.operator import records, tables
from master.operator.ids import full_id
from master.operator.tables import Answer, Column, Document, number
from master.operator.talk import talks

_PATIENCE = 60.0
"""Seconds that a test request is waited for."""
_LOOK = 0.2
"""Seconds between two looks."""
_HINT = "It is shown this once. Give it to the receiver, which checks signatures with it."
_SEQ = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)


@click.group()
def webhooks() -> None:
    """Who is told of what happens, by requests that the master sends."""


@webhooks.command("create")
@click.argument("url")
@click.option("--name", help="For people.", show_default="the host")
@click.option("--event", "events", multiple=True, help="Only these, such as job_failed. May be repeated.")
@talks
def create(client: MasterClient, url: str, name: str | None, events: tuple[str, ...]) -> Any:
    """Make a webhook and print its secret: this once."""
    fields: dict[str, Any] = {"url": url, "events": list(events)}
    if name is not None:
        fields["name"] = name
    made = client.create_webhook(fields)
    click.echo(f"Webhook {made['id']} tells {made['url']}. Its secret: {_HINT}", err=True)
    return Answer(made, lambda: click.echo(made["secret"]))


@webhooks.command("list")
@talks
def list_webhooks(client: MasterClient) -> Any:
    """All webhooks, and how far each is."""
    columns: list[Column] = [
        ("ID", lambda w: w["id"]),
        ("NAME", lambda w: w["name"]),
        ("STATUS", lambda w: w["status"]),
        ("TOLD", lambda w: f"{w['told']}/{w['newest']}"),
        ("FAILURES", lambda w: str(w["failures"])),
        ("NEXT TRY", lambda w: w["next_try_at"] or "-"),
        ("WHY", _why),
    ]
    nothing = "There are no webhooks. Make one with: ffrtmp webhooks create URL"
    return tables.table(client.webhooks(), columns, nothing, records.WEBHOOKS)


def _why(webhook: Document) -> str:
    """Why it is not told now."""
    last = webhook["last_delivery"]
    failed = last["error"] if last is not None and webhook["failures"] else None
    return str(webhook["reason"] or failed or "-")


@webhooks.command("show")
@click.argument("webhook_id")
@talks
def show(client: MasterClient, webhook_id: str) -> Any:
    """All that is known of a webhook."""
    return tables.document(client.webhook(_id(client, webhook_id)))


@webhooks.command("rm")
@click.argument("webhook_id")
@talks
def remove(client: MasterClient, webhook_id: str) -> str:
    """Remove a webhook, and what is known of its deliveries."""
    found = _id(client, webhook_id)
    client.remove_webhook(found)
    return f"Webhook {found} is removed."


@webhooks.command("pause")
@click.argument("webhook_id")
@talks
def pause(client: MasterClient, webhook_id: str) -> Any:
    """Tell it nothing more; what happens meanwhile waits."""
    changed = client.change_webhook(_id(client, webhook_id), "pause")
    return _said(changed, f"Webhook {changed['id']} is {changed['status']}: {changed['reason']}.")


@webhooks.command("resume")
@click.argument("webhook_id")
@talks
def resume(client: MasterClient, webhook_id: str) -> Any:
    """Tell it what it was not told yet, beginning at once."""
    changed = client.change_webhook(_id(client, webhook_id), "resume")
    return _said(changed, f"Webhook {changed['id']} goes on with event {changed['told'] + 1}.")


@webhooks.command("rotate")
@click.argument("webhook_id")
@click.option(
    "--overlap", type=DURATION, default="24h", help="How long requests are signed with the old secret, too."
)
@click.option("--at-once", is_flag=True, help="Not at all: the old secret is known to somebody.")
@talks
def rotate(client: MasterClient, webhook_id: str, overlap: float, at_once: bool) -> Any:
    """Give it another secret, and print it: this once."""
    fields = {"overlap": 0.0 if at_once else overlap}
    changed = client.change_webhook(_id(client, webhook_id), "rotate", fields)
    click.echo(f"The secret before holds until {changed['replaced_until']}. The new one: {_HINT}", err=True)
    return Answer(changed, lambda: click.echo(changed["secret"]))


@webhooks.command("deliveries")
@click.argument("webhook_id")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, help="How many at most.")
@talks
def deliveries(client: MasterClient, webhook_id: str, limit: int) -> Any:
    """The newest requests to its receiver, newest first."""
    columns: list[Column] = [
        ("ID", lambda d: str(d["id"])),
        ("EVENT", lambda d: d["event"] if d["seq"] is None else f"{d['seq']} {d['event']}"),
        ("TRY", lambda d: str(d["number"])),
        ("SENT", lambda d: d["sent_at"]),
        ("TOOK", lambda d: number(d["duration"], "{:.2f}", " s")),
        ("STATUS", lambda d: number(d["status_code"], "{}")),
        ("NEXT TRY", lambda d: d["next_try_at"] or "-"),
        ("ERROR", lambda d: d["error"] or "-"),
    ]
    found = client.deliveries(_id(client, webhook_id), limit)
    return tables.table(found, columns, "Nothing was sent yet.", records.DELIVERIES)


@webhooks.command("replay")
@click.argument("webhook_id")
@click.option("--since", help="Everything since event 1200, of the last 2h, or since 2025-12-29T19:45:00Z.")
@click.option("--delivery", type=click.IntRange(1), help="Only what this delivery was about, once.")
@talks
def replay(client: MasterClient, webhook_id: str, since: str | None, delivery: int | None) -> Any:
    """Tell it again what it was told, with the same ids."""
    if (since is None) == (delivery is None):
        raise click.UsageError("give --since or --delivery")
    fields = {"delivery_id": delivery} if since is None else _since(since)
    changed = client.change_webhook(_id(client, webhook_id), "replay", fields)
    what = f"event {changed['told'] + 1}" if since is not None else f"delivery {delivery}, once"
    return _said(changed, f"Webhook {changed['id']} is told again: {what}.")


def _since(text: str) -> dict[str, Any]:
    if _SEQ.fullmatch(text):
        return {"since_seq": int(text)}
    try:
        return {"since": timestamp(system_clock().wall - timedelta(seconds=parse_duration(text)))}
    except ValueError:
        return {"since": text}  # the master says what is wrong with it
    except OverflowError as error:
        raise click.BadParameter("is longer than there are years", param_hint="--since") from error


@webhooks.command("test")
@click.argument("webhook_id")
@talks
def test(client: MasterClient, webhook_id: str) -> Any:
    """Send it a request that tells of nothing, and wait for what comes of it."""
    asked = client.change_webhook(_id(client, webhook_id), "test")
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for each in client.deliveries(asked["id"], 50):
            if each["message_id"] == asked["message_id"]:
                return _came(each)
        time.sleep(_LOOK)
    raise click.ClickException(
        f"it was not sent within {_PATIENCE:.0f} s; see: ffrtmp webhooks deliveries {asked['id']}"
    )


def _came(delivery: Document) -> Answer:
    if delivery["error"] is not None:
        raise click.ClickException(f"the receiver did not take it: {delivery['error']}")
    took = f"The receiver took it: {delivery['status_code']}, in {delivery['duration']:.2f} s."
    return _said(delivery, took)


def _said(document: Document, text: str) -> Answer:
    return Answer(document, lambda: click.echo(text))


def _id(client: MasterClient, start: str) -> str:
    return full_id(start, client.webhooks(), "webhooks")
