"""Who the agent is to its master, kept across restarts; and that nobody else is it."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path

from common.locks import hold
from common.tokens import new_secret
from common.trust import write_private


class IdentityError(Exception):
    """The identity cannot be had; the message is one line and says what to do."""


FILE = "identity.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """Made by the agent itself before it first registers, so that registering can be repeated."""

    node_id: str
    credential: str
    """256 random bits; the master keeps their hash."""
    previous: str | None = None
    """The credential before. The master may know only that one: it was not told of the new one yet,
    or was restored from an older copy of its state."""
    joined: bool = False
    """Whether the master has let this node in: it needs no join token any more."""


def load(directory: Path) -> Identity | None:
    """The identity that is kept in `directory`; None if there is none yet."""
    path = directory / FILE
    try:
        return Identity(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise IdentityError(f"cannot read {path}: {error}; delete it to register as a new node") from error


def create(directory: Path) -> Identity:
    """A new identity, kept in `directory` (mode 0600)."""
    identity = Identity(str(uuid.uuid4()), new_secret())
    save(directory, identity)
    return identity


def save(directory: Path, identity: Identity) -> None:
    """Keep `identity` durably in `directory`, in place of what is there."""
    path = directory / FILE
    try:
        write_private(path, json.dumps(asdict(identity)).encode())
    except OSError as error:
        raise IdentityError(
            f"cannot write {path}: {error.strerror}; make room, or choose another --state-dir"
        ) from error


def lock(state_dir: Path) -> int:
    """Keep other agents out of `state_dir` while this process lives; the lock's file descriptor."""
    try:
        state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        return hold(state_dir / "lock", patience=0)
    except BlockingIOError:
        raise IdentityError(
            f"another agent runs with the state directory {state_dir}; "
            "stop it, or choose another with --state-dir"
        ) from None
    except OSError as error:
        raise IdentityError(
            f"cannot write the state directory {state_dir}: {error.strerror}; choose another with --state-dir"
        ) from error
