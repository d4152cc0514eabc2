"""A file store with one file, which does to whoever reads it what a test says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import cast

import requests

from agent.cache import Cache
from agent.files import Files
from common.client import ApiError, MasterClient
from tests.files.support import sha256_of

Happens = Callable[[int], None]


class _Body(BytesIO):
    """The bytes of an answer, whose line may break."""

    def __init__(self, data: bytes, breaks_at: int | None) -> None:
        super().__init__(data)
        self._breaks_at = breaks_at

    def read(self, size: int | None = -1) -> bytes:
        if self._breaks_at is None:
            return super().read(size)
        if self.tell() >= self._breaks_at:
            raise requests.ConnectionError("the line broke")
        rest = self._breaks_at - self.tell()
        return super().read(rest if size is None or size < 0 else min(size, rest))


@dataclass
class Shelf:
    """Stands for a master's client."""

    data: bytes
    before: Happens = lambda _: None
    """Is told how many questions there were before, and may raise."""
    headers: dict[str, str] = field(default_factory=dict)
    """What answers say in place of the truth."""
    breaks_at: dict[int, int] = field(default_factory=dict)
    """By the number of an answer, the byte of it at which the line breaks."""
    asked: list[tuple[int, int]] = field(default_factory=list)
    """Offsets and lengths."""
    status: int = 206

    @property
    def sha256(self) -> str:
        return sha256_of(self.data)

    def open_content(self, path: str, offset: int = 0, length: int | None = None) -> requests.Response:
        """As `common.files_client` has it."""
        assert length is not None
        number = len(self.asked)
        self.asked.append((offset, length))
        self.before(number)
        if path != f"/files/{self.sha256}":
            raise problem(404, "unknown_file")
        if offset >= len(self.data):
            raise problem(416, "wrong_range")
        data = self.data[offset : offset + length]
        answer = requests.Response()
        answer.status_code = self.status
        last = offset + len(data) - 1
        said = {"Content-Range": f"bytes {offset}-{last}/{len(self.data)}", "ETag": f'"{self.sha256}"'}
        answer.headers.update({**said, **self.headers})
        answer.raw = _Body(data, self.breaks_at.get(number))
        return answer

    def files(self, directory: Path, patience: float = 5) -> Files:
        """The file store, as jobs use it."""
        return Files(cast(MasterClient, self), Cache(directory / "cache", 10**9), patience)


def problem(status: int, slug: str) -> ApiError:
    """What a master refuses with."""
    return ApiError(status, {"type": f"urn:ffrtmp:problem:{slug}", "detail": slug})
