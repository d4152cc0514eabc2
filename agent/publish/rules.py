"""Where the operator of an agent lets outputs go, and how an output is refused."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.beneath import RootError
from agent.inputs.fetch import Surroundings
from common.inputs import HostPattern

_FULL = (errno.ENOSPC, errno.EDQUOT)
_REASONS = {
    errno.EACCES: "the agent has no right to write there",
    errno.EPERM: "the agent has no right to write there",
    errno.EROFS: "it can only be read on this node (under systemd it has to be in ReadWritePaths)",
    errno.EXDEV: "a link leads out of the media root",
    errno.ELOOP: "the links on the way lead nowhere",
    errno.ENOTDIR: "a file is in the way",
    errno.ENOENT: "a directory on the way was removed",
    errno.ENAMETOOLONG: "a name in it is too long for its file system",
    errno.EINVAL: "its file system does not take this name",
    errno.EILSEQ: "its file system does not take this name",
    errno.EFBIG: "its file system takes no file that large",
    errno.EMLINK: "a directory on the way is full",
}
"""Why a place cannot be written to, where another place could be."""


class OutputFailedError(Exception):
    """The output cannot go where it should: a code of `common.failures`, and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class OutputRules:
    """Without arguments: outputs stay in the work directory."""

    roots: Mapping[str, Path] = field(default_factory=dict)
    """Directories that outputs may be written to, by the names that jobs know them by."""
    hosts: tuple[HostPattern, ...] = ()
    """What may be streamed to."""
    allow_private: bool = False
    """Whether those hosts may have addresses that are not public."""
    world: Surroundings = field(default_factory=Surroundings)
    """Names, addresses and connections; tests put others in its place."""

    def describe(self) -> str:
        """One sentence for the agent's log at start."""
        roots = ", ".join(f"{name} ({path})" for name, path in sorted(self.roots.items()))
        streams = f"; streamed to {', '.join(map(str, self.hosts))}" if self.hosts else ""
        private = ", also at private addresses" if self.hosts and self.allow_private else ""
        below = f"written below {roots or 'no media root'}"
        return f"Outputs: kept in the work directory, and {below}{streams}{private}"


def refusal(error: OSError, label: str) -> Exception:
    """What an error of the system means for the output called `label`; itself if it is the node's."""
    if isinstance(error, RootError) or error.errno is None:
        return error
    if error.errno in _FULL:
        return OutputFailedError("disk_full", f"no space was left for {label}")
    reason = _REASONS.get(error.errno)
    return (
        error
        if reason is None
        else OutputFailedError("output_refused", f"{label} cannot be written: {reason}")
    )
