"""How fast steps went on this node, kept across restarts: of the kinds that were seen last."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path

from common.trust import write_private

log = logging.getLogger(__name__)

FILE = "paces.json"
"""In the agent's state directory: they are of the machine, whatever its master."""
MOST_KINDS = 256
_VERSION = 1
_WEIGHT = 0.5
"""Of the newest pace, among those of its kind."""
_LONGEST_NAME = 200
"""Characters of a kind's name."""
_SLOWEST = 1e9
"""Seconds for one unit."""
_LARGEST = 64 * 1024
"""Bytes of the file."""


class Paces:
    """What this node has seen; several threads use it."""

    def __init__(self, file: Path | None = None) -> None:
        """With what `file` keeps; None: nothing is kept."""
        self._file = file
        self._seen = {} if file is None else _read(file)
        """By kind, the one that was seen last at the end."""
        self._news = False
        self._lock = threading.Lock()

    def learn(self, paces: Mapping[str, float]) -> None:
        """What an attempt has seen, in seconds for one unit, by kind."""
        with self._lock:
            for kind, pace in paces.items():
                if not _is_pace(kind, pace):
                    continue
                before = self._seen.pop(kind, pace)
                self._seen[kind] = _WEIGHT * pace + (1 - _WEIGHT) * before
                self._news = True
            while len(self._seen) > MOST_KINDS:
                del self._seen[next(iter(self._seen))]

    def known(self) -> dict[str, float]:
        """All of it by now."""
        with self._lock:
            return dict(self._seen)

    def keep(self) -> None:
        """Write down what is new. Without room for it the next agent knows less, and nothing else."""
        with self._lock:
            if self._file is None or not self._news:
                return
            written = json.dumps({"version": _VERSION, "paces": self._seen})
            self._news = False
        try:
            write_private(self._file, written.encode())
        except OSError as error:
            log.warning("Cannot write %s: %s; estimates begin anew after a restart", self._file, error)


def _read(file: Path) -> dict[str, float]:
    """What is kept in `file`; nothing if that is not what this program writes."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LARGEST + 1)
        return _checked(text)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        log.warning("%s is not used: %s; estimates begin anew", file, error)
        return {}


def _checked(text: bytes) -> dict[str, float]:
    """The paces by kind, or ValueError. Pure."""
    found = json.loads(text) if len(text) <= _LARGEST else None
    if not isinstance(found, dict) or found.get("version") != _VERSION:
        raise ValueError(f"it has not version {_VERSION} of the format")
    paces = found.get("paces")
    if not isinstance(paces, dict) or not all(_is_pace(*each) for each in paces.items()):
        raise ValueError("it has no paces")
    return {kind: float(pace) for kind, pace in list(paces.items())[-MOST_KINDS:]}


def _is_pace(kind: str, pace: object) -> bool:
    if isinstance(pace, bool) or not isinstance(pace, int | float) or len(kind) > _LONGEST_NAME:
        return False
    return 0 < pace <= _SLOWEST
