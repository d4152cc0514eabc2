"""What is known of a stored file: pure, and how it is written beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.model import Now
from common.timestamps import parse_timestamp, timestamp

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
"""The name of a file here."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One who put the file here. Who sends the same content again gets a holding of its own."""

    owner: str | None
    """The submitter that it belongs to; None: the operators."""
    name: str | None
    """What its holder calls it."""
    media_type: str | None
    created_at: datetime
    by_node: bool = False
    """Whether only nodes put it, for the holder's jobs: then it may go with these."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A file that is whole and stored. It changes by being replaced."""

    sha256: str
    size: int
    """Bytes."""
    holdings: tuple[Holding, ...]
    """Never empty."""
    used: Now
    """When it was put, read or referred to last; ages are told by the clock that nobody sets."""
    job_id: str | None = None
    """The job that a node put it for last: while that runs, the file stays."""

    def held_by(self, owner: str | None) -> Holding | None:
        """What one of its holders said of it; None if that one has not put it here."""
        return next((holding for holding in self.holdings if holding.owner == owner), None)

    @property
    def by_nodes(self) -> bool:
        """Whether nobody but nodes put it here."""
        return all(holding.by_node for holding in self.holdings)

    def with_holding(self, holding: Holding) -> FileEntry:
        """Put by one more, or by the same once more: then that one's newer words hold."""
        others = tuple(each for each in self.holdings if each.owner != holding.owner)
        before = self.held_by(holding.owner)
        if before is not None and not before.by_node:
            holding = replace(holding, by_node=False)
        return replace(self, holdings=(*others, holding))

    def without(self, owner: str | None) -> FileEntry:
        """The same without one of its holders; nobody may be left."""
        return replace(self, holdings=tuple(each for each in self.holdings if each.owner != owner))

    def to_json(self) -> bytes:
        """As it is kept beside the file, but for when it was used: that is the time of that file."""
        holdings = [
            {
                "owner": holding.owner,
                "name": holding.name,
                "media_type": holding.media_type,
                "created_at": timestamp(holding.created_at),
                **({"by_node": True} if holding.by_node else {}),
            }
            for holding in self.holdings
        ]
        document = {"size": self.size, "holdings": holdings, "job_id": self.job_id}
        return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def entry_from(sha256: str, data: bytes, used: Now) -> FileEntry:
    """What `FileEntry.to_json` wrote. ValueError if it is damaged."""
    try:
        document: Mapping[str, Any] = json.loads(data)
        holdings = tuple(
            Holding(
                each["owner"],
                each["name"],
                each["media_type"],
                parse_timestamp(each["created_at"]),
                each.get("by_node") is True,
            )
            for each in document["holdings"]
        )
        entry = FileEntry(sha256, int(document["size"]), holdings, used, document["job_id"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it lacks {error}") from error
    if not holdings:
        raise ValueError("it names no holder")
    return entry
