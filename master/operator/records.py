"""What `-o csv` prints of each kind of record: the API's names, with a unit where a number has one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from master.operator.formats import Field, fields

if TYPE_CHECKING:
    from common.result import Metric

_UNITS = {
    "s": "seconds",
    "frames/s": "fps",
    "bit/s": "bits_per_second",
    "byte": "bytes",
    "pixel": "pixels",
    "J": "joules",
    "dB": "decibels",
    "LUFS": "lufs",
}
"""How a header ends by the unit of its metric; a ratio (s/s) has none."""


def _metric(metric: Metric) -> Field:
    unit = _UNITS.get(metric.unit or "")
    header = metric.name if unit is None or metric.name.endswith(unit) else f"{metric.name}_{unit}"
    return header, f"metrics.{metric.name}"


NODES = fields(
    "id address status running_jobs max_concurrent_jobs type cpu_threads cpu_model has_gpu gpu_model "
    "ram_bytes labels encoders last_heartbeat registered_at quarantined agent_version ffmpeg_version"
)
JOBS = fields(
    "id scenario status priority confidence input output owner created_at started_at finished_at node_id "
    "retry_count max_attempts retry_of parent_id part pending_reason progress.percent=percent "
    "progress.fps=fps progress.speed=speed progress.out_time=out_time_seconds "
    "progress.seconds_left=seconds_left error.code error.message parameters"
)
TOKENS = fields("id name role status created_at expires_at uses_left used_at revoked_at")
AUDIT = fields("seq at by from event job_id node_id token_id details")
FILES = fields("sha256 size=size_bytes name media_type created_at used_at owners")
SCENARIOS = fields("name width=width_pixels height=height_pixels fps codec bitrate duration=duration_seconds")
WEBHOOKS = fields(
    "id name url events status reason created_at replaced_until told newest failures failing_since "
    "next_try_at last_delivery.sent_at last_delivery.status_code last_delivery.error"
)
DELIVERIES = fields(
    "id message_id seq event number sent_at duration=duration_seconds status_code error next_try_at"
)


@functools.cache
def results() -> tuple[Field, ...]:
    """Those of results: every metric that there is."""
    from common.result import METRICS  # it brings all settings of encodes with it

    return (
        *fields("job_id scenario status node_id attempt completed_at"),
        *map(_metric, METRICS.values()),
        *fields("error.code error.message warnings"),
    )
