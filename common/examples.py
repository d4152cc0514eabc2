"""Examples of what is sent and answered, as the guide and docs/api.md show them, by schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema

from common import documents, schema

_NODE_ID = "550e8400-e29b-41d4-a716-446655440000"
_JOB_ID = "660e8400-e29b-41d4-a716-446655440001"
_LEASE = {"lease_id": "770e8400-e29b-41d4-a716-446655440002"}
_SUBMITTED: dict[str, Any] = {
    "scenario": "1080p-h264",
    "confidence": "auto",
    "parameters": {"duration": 60, "bitrate": "5000k"},
}
_NODE: dict[str, Any] = {
    "id": _NODE_ID,
    "address": "worker-01",
    "type": "desktop",
    "cpu_threads": 8,
    "cpu_model": "AMD EPYC 7763 64-Core Processor",
    "has_gpu": False,
    "ram_bytes": 16777216000,
    "labels": {"arch": "amd64", "node_type": "desktop", "os": "linux"},
    "status": "available",
    "last_heartbeat": "2025-12-29T19:45:00Z",
    "registered_at": "2025-12-29T19:40:00Z",
    "running_jobs": 0,
    "max_concurrent_jobs": 2,
    "load": {"cpu": 0.12, "memory": 0.31},
    "run_unlabeled": True,
    "encoders": ["libx264", "libx265"],
    "encoder_failures": {"h264_nvenc": "Cannot load libcuda.so.1"},
    "ffmpeg_version": "9.0.2",
    "gpu_model": None,
    "has_battery": False,
    "agent_version": "1.0.0",
    "quarantined": None,
    "media_roots": ["films"],
    "input_hosts": [],
    "output_roots": ["finished"],
    "output_hosts": [],
    "energy_source": "rapl",
    "protocol": 6,
    "credential_expires_at": "2026-03-29T19:40:00Z",
}
_TERMS = {
    "heartbeat_timeout": 90,
    "lease": 90,
    "credential_ttl": 7776000,
    "credential_expires_in": 7775000,
    "max_claims": 100,
}
_JOB: dict[str, Any] = {
    "id": _JOB_ID,
    "scenario": "1080p-h264",
    "confidence": "auto",
    "input": None,
    "output": None,
    "parameters": {"bitrate": "5000k", "duration": 60},
    "status": "pending",
    "created_at": "2025-12-29T19:46:00Z",
    "retry_count": 0,
    "priority": "medium",
    "constraints": {"labels": {}, "encoders": ["libx264"], "gpu": False},
    "max_attempts": 3,
    "retry_of": None,
    "parent_id": None,
    "part": None,
    "twin_of": None,
    "stage": "encode",
    "depends_on": [],
    "owner": None,
    "request_id": "880e8400e29b41d4a716446655440003",
    "node_id": None,
    "started_at": None,
    "finished_at": None,
    "pending_reason": "no node is registered",
    "progress": None,
    "error": None,
}
_BEGUN = {"node_id": _NODE_ID, "started_at": "2025-12-29T19:46:10Z"}
_RUNNING = {**_JOB, **_BEGUN, "status": "running", "pending_reason": None, "lease_expires_in": 90.0}
_CLAIMED = {**_RUNNING, **_LEASE, "attempt": 1, "window": None, "source": None, "hand_on": False}
_ATTEMPT = {"number": 1, **_BEGUN, "ended_at": None, "outcome": None, "error": None}
_REPORTED = {"job_id": _JOB_ID, "node_id": _NODE_ID, "status": "completed"}
_RESULT: dict[str, Any] = {
    "job_id": _JOB_ID,
    "node_id": _NODE_ID,
    "scenario": "1080p-h264",
    "status": "completed",
    "attempt": 1,
    "completed_at": "2025-12-29T19:47:10Z",
    "metrics": {"frames": 1800},
    "analyzer_output": {"realtime": True},
    "sources": {"frames": "probe of the output: pictures counted"},
    "artifacts": [],
    "repeats": [],
    "probes": [],
    "warnings": [],
    "error": None,
}

EXAMPLES: Mapping[type[Schema], Mapping[str, Any]] = {
    schema.SubmitSchema: _SUBMITTED,
    schema.BatchSchema: {"jobs": [_SUBMITTED, {"scenario": "720p-h264"}]},
    schema.RegisterSchema: {name: _NODE[name] for name in ("address", "type", "cpu_threads", "labels")},
    schema.HeartbeatSchema: {"leases": list(_LEASE.values())},
    schema.LeaveSchema: {},
    schema.ProgressSchema: {"node_id": _NODE_ID, **_LEASE, "frame": 900, "percent": 50},
    schema.ReleaseSchema: {"node_id": _NODE_ID, **_LEASE},
    schema.ReportSchema: {**_REPORTED, **_LEASE, "attempt": 1, "metrics": _RESULT["metrics"]},
    documents.NodeSchema: _NODE,
    documents.RegisteredSchema: {**_NODE, **_TERMS},
    documents.HeardSchema: {"status": "busy", "leases": list(_LEASE.values()), **_TERMS},
    documents.JobSchema: _JOB,
    documents.FullJobSchema: {**_RUNNING, "attempts": [_ATTEMPT]},
    documents.ClaimSchema: {**_CLAIMED, "job": _CLAIMED},
    documents.ReportedSchema: _REPORTED,
    documents.ResultSchema: _RESULT,
    documents.QueueSchema: {
        "paused": False,
        "jobs": {"pending": 12, "paused": 0, "running": 4, "completed": 310, "failed": 2, "canceled": 0},
    },
}
