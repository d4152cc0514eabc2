"""Why an encode fails, and whether trying again can help: the one table.

`docs/failures.md` prints this table, and a test compares them. The lifecycle
reads `retry` from here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailureKind:
    """One way to fail."""

    code: str
    retry: bool
    """Whether the job is tried again (with backoff, up to `max_attempts`)."""
    meaning: str


_KINDS = (
    FailureKind("encoder_error", False, "ffmpeg refused the job: bad input, option or codec"),
    FailureKind("encoder_missing", True, "the node's ffmpeg lacks the encoder it offered"),
    FailureKind("time_limit", False, "the encode ran longer than its time limit allows"),
    FailureKind("output_invalid", True, "ffmpeg ended well, but the output is not what was asked for"),
    FailureKind("encoder_killed", True, "a signal ended ffmpeg (out of memory, or somebody killed it)"),
    FailureKind("encoder_stalled", True, "ffmpeg made no progress for a while and was ended"),
    FailureKind("disk_full", True, "no space was left for the output"),
    FailureKind("agent_error", True, "the agent itself failed while it ran the job"),
    FailureKind("node_lost", True, "the node stopped sending heartbeats, or its agent ended"),
    FailureKind("lease_expired", True, "the attempt was not heard of until its lease ended"),
    FailureKind("agent_restarted", True, "the agent started anew and no longer knew the job"),
    FailureKind("node_removed", True, "an operator removed the node"),
    FailureKind("handed_back", True, "the node gave the job back because its agent was stopping"),
    FailureKind(
        "quarantined", False, "the job was set aside: the agents that ran it were lost, again and again"
    ),
    FailureKind("canceled", False, "somebody canceled the job"),
    FailureKind("unspecified", False, "the node reported a failure without a code"),
)

KINDS: dict[str, FailureKind] = {kind.code: kind for kind in _KINDS}


def retryable(code: str) -> bool:
    """Whether an attempt that ended with `code` may be followed by another."""
    kind = KINDS.get(code)
    return kind is not None and kind.retry
