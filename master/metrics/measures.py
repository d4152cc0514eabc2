"""What is counted and timed while the master runs; it begins at 0 with each start, as Prometheus has it.

Label values are bounded: scenarios are those of the catalogue, routes those of the application,
and nodes those of the registry. Whatever else comes is `other`.
"""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
    disable_created_metrics,
)
from prometheus_client.metrics import MetricWrapperBase

from common.failures import KINDS
from common.scenarios import SCENARIOS
from master.lifecycle.audit import NAMES

OTHER = "other"
"""The label of what has no name of its own here."""
TAKEN, FAILED = RESULTS = ("taken", "failed")
"""Of a request to the receiver of a webhook."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_MICRO = (0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1)
_DISK = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1)
_REQUEST = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)
_LONG = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)


def scenario_label(name: str | None) -> str:
    """The label for a scenario: an older job may have one that is not in the catalogue any more."""
    return name if name in SCENARIOS else OTHER


def code_label(code: str) -> str:
    """The label for the code of a failure; agents of other makers may have their own."""
    return code if code in KINDS else OTHER


class Measures:
    """Counters and histograms in a registry of their own; any thread may add to them."""

    def __init__(self) -> None:
        """All at 0. When each began is not told: that would double the page, and Prometheus finds out."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # for the whole process
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._count_events()
        self._count_work()
        self._time_the_master()

    def _count_events(self) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, registry=self.registry)

        self.events = counter(
            "ffrtmp_events_total", "Events of the history, by their names in the audit.", "event"
        )
        self.submitted = counter(
            "ffrtmp_jobs_submitted_total", "Jobs that were queued.", "scenario", "priority"
        )
        self.claims = counter("ffrtmp_job_claims_total", "Attempts that began.", "scenario", "priority")
        self.finished = counter(
            "ffrtmp_jobs_finished_total", "Jobs that ended for good.", "scenario", "status"
        )
        self.attempts = counter("ffrtmp_attempts_total", "Attempts that ended.", "scenario", "outcome")
        self.failures = counter("ffrtmp_attempt_failures_total", "Attempts that ended with an error.", "code")
        self.nodes_lost = counter("ffrtmp_nodes_lost_total", "Times that a node was given up as lost.")
        self.webhook_requests = counter(
            "ffrtmp_webhook_requests_total",
            "Requests to the receiver of a webhook, by whether it took them.",
            "webhook",
            "result",
        )
        # What is not there yet cannot be seen to rise.
        for event in NAMES.values():
            self.events.labels(event)
        for code in (*KINDS, OTHER):
            self.failures.labels(code)

    def _count_work(self) -> None:
        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, ("scenario",), registry=self.registry)

        self.frames = counter("ffrtmp_encode_frames_total", "Pictures of completed jobs.")
        self.video_seconds = counter(
            "ffrtmp_encode_video_seconds_total", "Length of what completed jobs made."
        )
        self.cpu_seconds = counter(
            "ffrtmp_encode_cpu_seconds_total", "CPU time of ffmpeg for completed jobs."
        )
        self.output_bytes = counter("ffrtmp_encode_output_bytes_total", "Size of what completed jobs made.")
        self.energy_joules = counter(
            "ffrtmp_encode_energy_joules_total", "Energy of completed jobs, where known."
        )
        of_node = ("scenario", "node")
        self.speed = Summary(
            "ffrtmp_encode_speed_ratio",
            "Seconds of video encoded in a second, of completed jobs.",
            of_node,
            registry=self.registry,
        )
        self.fps = Summary(
            "ffrtmp_encode_frames_per_second",
            "Pictures encoded in a second, of completed jobs.",
            of_node,
            registry=self.registry,
        )

    def _time_the_master(self) -> None:
        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, registry=self.registry)

        self.queued = histogram(
            "ffrtmp_job_queue_seconds",
            "From the submission of a job to its first attempt.",
            _LONG,
            "priority",
        )
        self.attempt = histogram(
            "ffrtmp_attempt_seconds", "From the begin of an attempt to its end.", _LONG, "scenario", "outcome"
        )
        self._requests = histogram(
            "ffrtmp_http_request_seconds",
            "From a whole request to its answer, which may still have to be sent.",
            _REQUEST,
            "route",
            "method",
            "status",
        )
        self._series: dict[tuple[str, str, int], Histogram] = {}
        """Of these, by route, method and hundreds of the status: the library takes long to find one."""
        self.journal_sync = histogram("ffrtmp_journal_sync_seconds", "One fdatasync of the journal.", _DISK)
        self.lock_wait = histogram("ffrtmp_store_lock_wait_seconds", "Waiting for the store's lock.", _MICRO)
        self.lock_hold = histogram("ffrtmp_store_lock_hold_seconds", "Holding the store's lock.", _MICRO)

    def answered(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """A request was answered. `route`: its template, such as `/jobs/<job_id>`; None: it has none."""
        kind = route or OTHER, method if method in _METHODS else OTHER, status // 100
        series = self._series.get(kind)
        if series is None:
            series = self._series[kind] = self._requests.labels(*kind[:2], f"{kind[2]}xx")
        series.observe(seconds)

    def forget_nodes_but(self, known: Collection[str]) -> None:
        """Nodes that are gone have no series any more."""
        for summary in (self.speed, self.fps):
            _forget_but(summary, "node", known)

    def told_webhook(self, webhook_id: str, *, taken: bool) -> None:
        """A request was sent to a receiver."""
        for result in RESULTS:
            self.webhook_requests.labels(webhook_id, result).inc(result == (TAKEN if taken else FAILED))

    def forget_webhooks_but(self, known: Collection[str]) -> None:
        """Webhooks that were removed have no series any more."""
        _forget_but(self.webhook_requests, "webhook", known)


def _forget_but(measure: MetricWrapperBase, label: str, known: Collection[str]) -> None:
    """Removes the series whose `label` has a value that is not `known`."""
    for family in measure.collect():
        for gone in {sample.labels[label] for sample in family.samples} - set(known):
            measure.remove_by_labels({label: gone})
