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
    agent_lost: bool = False
    """Whether the agent was lost while it ran the job: a job that does so again and again is set aside."""
    of_job: bool = False
    """Whether the job asked for what cannot be: that says nothing against the node."""


_KINDS = (
    FailureKind("encoder_error", False, "ffmpeg refused the job: bad input, option or codec"),
    FailureKind("encoder_missing", True, "the node's ffmpeg lacks the encoder it offered"),
    FailureKind("input_missing", True, "the input is not there; another node may see it", of_job=True),
    FailureKind(
        "input_refused", False, "the input may not be read: by this node, or by anybody", of_job=True
    ),
    FailureKind("input_invalid", False, "the input is empty, damaged, too large or no video", of_job=True),
    FailureKind("input_unreachable", True, "the input could not be fetched over the network", of_job=True),
    FailureKind(
        "stream_unreachable",
        True,
        "the server of a live stream could not be had, or had no stream",
        of_job=True,
    ),
    FailureKind("time_limit", False, "the encode ran longer than its time limit allows"),
    FailureKind(
        "memory_limit",
        True,
        "the encode took more memory than its limit, or nine tenths of the node's",
    ),
    FailureKind("cpu_limit", False, "the encode used more CPU time than its limit allows"),
    FailureKind("output_too_large", False, "the output grew far beyond what its bitrate or pictures need"),
    FailureKind("output_invalid", True, "ffmpeg ended well, but the output is not what was asked for"),
    FailureKind(
        "output_exists", False, "something is at the output's place, and may not be overwritten", of_job=True
    ),
    FailureKind("output_refused", False, "the output may not be written to its place", of_job=True),
    FailureKind("output_unreachable", True, "the output could not be sent over the network", of_job=True),
    FailureKind("encoder_killed", True, "a signal ended ffmpeg (out of memory, or somebody killed it)"),
    FailureKind("encoder_stalled", True, "ffmpeg made no progress for a while and was ended"),
    FailureKind("disk_full", True, "no space was left for the output"),
    FailureKind("agent_error", True, "the agent itself failed while it ran the job"),
    FailureKind(
        "node_lost", True, "the node sent no heartbeats any more, or its agent ended", agent_lost=True
    ),
    FailureKind("lease_expired", True, "the attempt was not heard of until its lease ended", agent_lost=True),
    FailureKind("agent_restarted", True, "the agent started anew and did not know the job", agent_lost=True),
    FailureKind("node_removed", True, "an operator removed the node"),
    FailureKind("node_revoked", True, "an operator revoked the node's credential"),
    FailureKind("handed_back", True, "the node gave the job back because its agent was stopping"),
    FailureKind(
        "quarantined", False, "the job was set aside: the agents that ran it were lost, again and again"
    ),
    FailureKind(
        "dependency_failed",
        False,
        "a job that it depends on failed or was canceled, or did not make what it needs",
        of_job=True,
    ),
    FailureKind("canceled", False, "somebody canceled the job"),
    FailureKind("unspecified", False, "the node reported a failure without a code"),
)

KINDS: dict[str, FailureKind] = {kind.code: kind for kind in _KINDS}


def agent_lost(code: str) -> bool:
    """Whether an attempt that ended with `code` ended because its agent was lost."""
    kind = KINDS.get(code)
    return kind is not None and kind.agent_lost


def retryable(code: str) -> bool:
    """Whether an attempt that ended with `code` may be followed by another."""
    kind = KINDS.get(code)
    return kind is not None and kind.retry


def of_job(code: str) -> bool:
    """Whether an attempt that ended with `code` failed by what the job asked for, on whatever node."""
    kind = KINDS.get(code)
    return kind is not None and kind.of_job
