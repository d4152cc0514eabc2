"""How the farm stands at one moment, and what Prometheus is told of that. Pure."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric

from common.model import JobStatus, Node, NodeStatus, Priority, Webhook, WebhookStatus
from common.version import PROTOCOL, VERSION
from master.worker.occupancy import Occupancy

_GIVEN_JOBS = (NodeStatus.AVAILABLE, NodeStatus.BUSY)


@dataclass(frozen=True, slots=True)
class NodeGauges:
    """A node, and what it is at."""

    node: Node
    running: int
    """Jobs that run on it."""
    status: NodeStatus
    taken: int
    """Slots: a job that runs alone takes all."""
    last_heard: datetime | None
    """UTC; None: not since anybody can say."""
    fps: float | None
    """Pictures a second that its jobs encode now, together; None if none of them said so."""


@dataclass(frozen=True, slots=True)
class Files:
    """The file store."""

    count: int
    size: int
    """Bytes."""
    quota: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class WebhookGauges:
    """A webhook, and how far it was told."""

    webhook: Webhook
    backlog: int
    """Events that it is still to be told, as far as somebody has looked whether it wants them."""


@dataclass(frozen=True, slots=True)
class Gauges:
    """All of it."""

    jobs: Mapping[JobStatus, int]
    waiting: Mapping[Priority, int]
    """Jobs that wait for a node, or for the end of their backoff."""
    oldest: Mapping[Priority, float]
    """Seconds since the first of them was submitted; without those of which none waits."""
    paused: bool
    nodes: Sequence[NodeGauges]
    parked: int
    """Polls that wait for a job."""
    streams: int
    """Readers of events and logs that are open."""
    files: Files
    disk_size: int
    """Bytes of the file system that the state directory is on, as an ordinary user may fill it."""
    disk_free: int
    history: int
    """Events since the beginning."""
    certificate_expiry: float | None
    """When the master's certificate ends, in seconds since the epoch; None if that is not known."""
    webhooks: Sequence[WebhookGauges] = ()


def families(gauges: Gauges, occupancy: Occupancy | None) -> Iterator[Metric]:
    """What is told of it. What is not known has no series."""
    build = InfoMetricFamily("ffrtmp_build", "The master that answers.")
    build.add_metric((), {"version": VERSION, "protocol": str(PROTOCOL), "python": platform.python_version()})
    yield build
    yield from _of_queue(gauges)
    yield from _of_nodes(gauges.nodes)
    yield from _of_machine(gauges)
    yield from _of_server(gauges, occupancy)
    yield from _of_webhooks(gauges.webhooks)


def _of_queue(gauges: Gauges) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("ffrtmp_jobs", "Jobs in the master's memory.", labels=("status",))
    for status in JobStatus:
        jobs.add_metric((status.value,), gauges.jobs.get(status, 0))
    yield jobs
    waiting = GaugeMetricFamily("ffrtmp_queue_jobs", "Jobs that wait for a node.", labels=("priority",))
    oldest = GaugeMetricFamily(
        "ffrtmp_queue_oldest_seconds", "Since the submission of the oldest that waits.", labels=("priority",)
    )
    for priority in Priority:
        waiting.add_metric((priority.value,), gauges.waiting.get(priority, 0))
        if priority in gauges.oldest:
            oldest.add_metric((priority.value,), gauges.oldest[priority])
    yield waiting
    yield oldest
    yield _gauge("ffrtmp_queue_paused", "1 while no job is given to any node.", gauges.paused)


def _of_nodes(nodes: Sequence[NodeGauges]) -> Iterator[Metric]:
    by_status = Counter(each.status for each in nodes)
    counted = GaugeMetricFamily("ffrtmp_nodes", "Registered nodes.", labels=("status",))
    for status in NodeStatus:
        counted.add_metric((status.value,), by_status[status])
    yield counted
    slots: Counter[str] = Counter()
    for each in nodes:
        most = each.node.max_concurrent_jobs
        taken = min(most, each.taken)
        slots["taken"] += taken
        slots["free" if each.status in _GIVEN_JOBS else "unavailable"] += most - taken
    farm = GaugeMetricFamily("ffrtmp_slots", "Slots of all nodes.", labels=("state",))
    for state in ("taken", "free", "unavailable"):
        farm.add_metric((state,), slots[state])
    yield farm
    yield from _of_each_node(nodes)


def _of_each_node(nodes: Sequence[NodeGauges]) -> Iterator[Metric]:
    info = InfoMetricFamily("ffrtmp_node", "A registered node, and what people call it.", labels=("node",))
    up = _of_node("up", "1 while the node may work: heard from lately, approved and not revoked.")
    running = _of_node("running_jobs", "Jobs that run on the node.")
    slots = _of_node("slots", "Jobs that the node runs at once.")
    heard = _of_node("last_heartbeat_timestamp_seconds", "When the node was heard last.")
    fps = _of_node("running_frames_per_second", "Pictures a second that the node encodes now.")
    for each in nodes:
        labels = (each.node.id,)
        info.add_metric(
            labels, {"address": each.node.address, "agent_version": each.node.agent_version or ""}
        )
        down = each.status in (NodeStatus.OFFLINE, NodeStatus.REVOKED, NodeStatus.UNAPPROVED)
        up.add_metric(labels, 0 if down else 1)
        running.add_metric(labels, each.running)
        slots.add_metric(labels, each.node.max_concurrent_jobs)
        if each.last_heard is not None:
            heard.add_metric(labels, each.last_heard.timestamp())
        if each.fps is not None:
            fps.add_metric(labels, each.fps)
    yield from (info, up, running, slots, heard, fps)


def _of_machine(gauges: Gauges) -> Iterator[Metric]:
    files = gauges.files
    yield _gauge("ffrtmp_files", "Files in the file store.", files.count)
    yield _gauge("ffrtmp_files_bytes", "What they take.", files.size)
    yield _gauge("ffrtmp_files_quota_bytes", "What they may take (--files-quota).", files.quota)
    yield _gauge("ffrtmp_disk_bytes", "The disk of the state directory.", gauges.disk_size)
    yield _gauge("ffrtmp_disk_free_bytes", "What is free on it.", gauges.disk_free)
    yield _gauge("ffrtmp_history_events", "Events since the beginning, kept over restarts.", gauges.history)
    yield _gauge(
        "ffrtmp_certificate_expiry_timestamp_seconds",
        "When the master's certificate ends.",
        gauges.certificate_expiry,
    )


def _of_server(gauges: Gauges, occupancy: Occupancy | None) -> Iterator[Metric]:
    yield _gauge("ffrtmp_parked_polls", "Polls of nodes that wait for a job.", gauges.parked)
    yield _gauge("ffrtmp_streams", "Open streams of events and logs.", gauges.streams)
    for name, text, value in (
        ("connections", "Open connections.", occupancy.connections if occupancy else None),
        (
            "busy_requests",
            "Slow requests, which have a thread or wait for one.",
            occupancy.busy if occupancy else None,
        ),
        ("threads", "Threads that serve slow requests.", occupancy.threads if occupancy else None),
        ("held_bytes", "Requests and answers that wait in memory.", occupancy.held if occupancy else None),
    ):
        yield _gauge(f"ffrtmp_http_{name}", text, value)


def _of_webhooks(webhooks: Sequence[WebhookGauges]) -> Iterator[Metric]:
    by_status = Counter(each.webhook.status for each in webhooks)
    counted = GaugeMetricFamily("ffrtmp_webhooks", "Webhooks.", labels=("status",))
    for status in WebhookStatus:
        counted.add_metric((status.value,), by_status[status])
    yield counted
    info = InfoMetricFamily("ffrtmp_webhook", "A webhook, and what people call it.", labels=("webhook",))
    backlog = GaugeMetricFamily(
        "ffrtmp_webhook_backlog_events", "Events that a webhook was not told yet.", labels=("webhook",)
    )
    for each in webhooks:
        info.add_metric((each.webhook.id,), {"name": each.webhook.name})
        backlog.add_metric((each.webhook.id,), each.backlog)
    yield from (info, backlog)


def _of_node(name: str, text: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ffrtmp_node_{name}", text, labels=("node",))


def _gauge(name: str, text: str, value: float | None) -> Metric:
    """One number; without a sample if it is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric((), value)
    return family
