"""What a connection may wait for, how long, and what it needs to get any further."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache

from master.worker.loop import READ, WRITE
from master.worker.stream import BEAT


@dataclass(frozen=True, slots=True)
class Patience:
    """How long clients are waited for, in seconds."""

    first_byte: float = 10.0
    """From the connection to its first byte."""
    handshake: float = 20.0
    """For the whole TLS handshake, or for the whole head of a plain request. A handshake takes a round
    trip, which on a bad line is 10 s."""
    request: float = 30.0
    """For a request to begin and to be whole; bytes that come earn more, see `rate`."""
    send: float = 30.0
    """For the client to take an answer; bytes that it takes earn more."""
    rate: float = 16 * 1024
    """Bytes that earn another second, as long as no more than `request` or `send` are left. 128 kbit/s."""
    keep_alive: float = 75.0
    """From an answer to the next request."""
    beat: float = BEAT
    """For a stream to say something; then it says that it lives."""
    linger: float = 5.0
    """For the client to close after the last answer; what it still sends is discarded."""


class Stage(Enum):
    """What a connection waits for."""

    SILENT = "first byte"
    HELLO = "TLS handshake"
    PLAIN = "plain request"
    REQUEST = "request"
    SENDING = "taking of the answer"
    IDLE = "next request"
    WAITING = "an answer that is not there yet"
    STREAMING = "something to say"
    LINGER = "end"

    # Each is one of its kind; Enum's own hash is a call of Python's.
    __hash__ = object.__hash__


_PATIENCE = {
    Stage.SILENT: "first_byte",
    Stage.HELLO: "handshake",
    Stage.PLAIN: "handshake",
    Stage.REQUEST: "request",
    Stage.SENDING: "send",
    Stage.IDLE: "keep_alive",
    # The application says how long: it goes on by itself.
    Stage.WAITING: None,
    Stage.STREAMING: "beat",
    Stage.LINGER: "linger",
}


@cache
def waits(patience: Patience) -> Mapping[Stage, float]:
    """How long each stage may take, in seconds."""
    return {
        stage: math.inf if name is None else float(getattr(patience, name))
        for stage, name in _PATIENCE.items()
    }


class Need(Enum):
    """What a connection needs to get any further."""

    READ = READ
    WRITE = WRITE
    HANDSHAKE = "the next step of the handshake"
    ANSWER = "that the request is answered"
    PIECES = "a thread that makes more of the answer"
    NOTHING = "all is done"
