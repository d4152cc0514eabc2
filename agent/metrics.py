"""What Prometheus is told of this agent, with `--metrics-port`; docs/metrics.md lists it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from common.model import Progress, Report, Scalar
from common.version import PROTOCOL, VERSION

_ROUND_TRIP = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
OUTCOMES = ("completed", "failed", "handed_back", "unwanted")
"""How an attempt ends, as the agent sees it."""


class MetricsError(Exception):
    """They cannot be served; the message is one line and says what to do."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the agent is at."""

    node_id: str
    slots: int
    running: Sequence[tuple[int, Progress | None]]
    """The slot of each running job, and how far it is if that is known."""
    draining: bool
    outbox: int
    """Reports that wait to be sent."""
    cache_bytes: int | None
    """What the cached files take; None: unknown."""
    cache_most: int | None


class Metrics:
    """Counts from the start of the agent, whether they are served or not. Any thread may add to them."""

    def __init__(self) -> None:
        """All at 0."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # for the whole process
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self._heard_at: float | None = None

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"ffrtmp_agent_{name}_total", text, labels, registry=self.registry)

        self.attempts = counter("attempts", "Attempts that ended.", "outcome")
        self._cpu = counter("ffmpeg_cpu_seconds", "CPU time of ffmpeg in attempts that were reported.")
        self._energy = counter("energy_joules", "Energy of such attempts, where it is known.")
        self._cache = counter("cache_requests", "Stored files that jobs asked for.", "result")
        self.part_bytes = counter("part_bytes", "Got of stored files of which a job needed only a part.")
        self.heartbeats_failed = counter("heartbeats_failed", "Heartbeats that the master did not answer.")
        self._round_trip = Histogram(
            "ffrtmp_agent_heartbeat_seconds",
            "From a heartbeat to its answer.",
            buckets=_ROUND_TRIP,
            registry=self.registry,
        )
        for outcome in OUTCOMES:
            self.attempts.labels(outcome)
        for result in ("hit", "miss"):
            self._cache.labels(result)

    def reported(self, report: Report) -> None:
        """An attempt ended with a report."""
        self.attempts.labels("completed" if report.error is None else "failed").inc()
        for name, counter in (("cpu_seconds", self._cpu), ("energy_joules", self._energy)):
            amount = _number(report.metrics.get(name))
            if amount is not None:
                counter.inc(amount)

    def looked_into_cache(self, *, hit: bool) -> None:
        """A job asked for a stored file."""
        self._cache.labels("hit" if hit else "miss").inc()

    def answered(self, seconds: float) -> None:
        """The master answered a heartbeat."""
        self._round_trip.observe(seconds)

    def heard(self) -> None:
        """The master answered something."""
        self._heard_at = time.monotonic()

    def silence(self) -> float | None:
        """Seconds since the master answered last; None if it never did."""
        return None if self._heard_at is None else time.monotonic() - self._heard_at

    def show(self, moment: Callable[[], Moment]) -> None:
        """What is true of the moment comes from there, at each scrape."""
        self.registry.register(_Now(moment, self.silence))


class _Now(Collector):
    def __init__(self, moment: Callable[[], Moment], silence: Callable[[], float | None]) -> None:
        self._moment, self._silence = moment, silence

    def describe(self) -> list[Metric]:
        """Nothing is asked before a scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from families(self._moment(), self._silence())


def families(moment: Moment, silence: float | None) -> Iterator[Metric]:
    """What is told of a moment. What is not known has no series. Pure."""
    build = InfoMetricFamily("ffrtmp_agent_build", "The agent that answers.")
    build.add_metric((), {"version": VERSION, "protocol": str(PROTOCOL), "node": moment.node_id})
    yield build
    for name, text, value in (
        ("slots", "Jobs that it runs at once.", moment.slots),
        ("running_jobs", "Jobs that it runs.", len(moment.running)),
        ("draining", "1 while it takes no new jobs, since it is to stop.", moment.draining),
        ("outbox_reports", "Reports that the master has not answered yet.", moment.outbox),
        ("cache_bytes", "What the cached files take.", moment.cache_bytes),
        ("cache_size_bytes", "What they may take (--cache-size).", moment.cache_most),
        ("master_silence_seconds", "Since the master answered last.", silence),
    ):
        family = GaugeMetricFamily(f"ffrtmp_agent_{name}", text)
        if value is not None:
            family.add_metric((), value)
        yield family
    yield from _of_slots(moment.running)


def _of_slots(running: Sequence[tuple[int, Progress | None]]) -> Iterator[Metric]:
    fps = GaugeMetricFamily(
        "ffrtmp_agent_frames_per_second", "Pictures a second that the slot's job encodes.", labels=("slot",)
    )
    speed = GaugeMetricFamily(
        "ffrtmp_agent_speed_ratio", "Seconds of video that it encodes in a second.", labels=("slot",)
    )
    percent = GaugeMetricFamily("ffrtmp_agent_progress_ratio", "How far it is: 1 is all.", labels=("slot",))
    for slot, progress in running:
        if progress is None:
            continue
        for family, value in (
            (fps, progress.fps),
            (speed, progress.speed),
            (percent, None if progress.percent is None else progress.percent / 100),
        ):
            if value is not None:
                family.add_metric((str(slot),), value)
    yield from (fps, speed, percent)


def serve(metrics: Metrics, address: str, port: int) -> None:
    """Answer who asks at `http://address:port/metrics`, from a thread that ends with the process.

    `MetricsError` if nothing can listen there.
    """
    try:
        start_http_server(port, address, metrics.registry)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise MetricsError(
            f"metrics cannot be served at {address} port {port}: {reason}; choose others with "
            "--metrics-address and --metrics-port"
        ) from error


def _number(value: Scalar) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
    return float(value) if known and value is not None else None
