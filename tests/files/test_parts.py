"""Parts of a stored file come from a real master, over a line that breaks too, and make the same pieces."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.cache import Cache
from agent.chunks.piece import piece
from agent.files import Files
from common.client import ApiError, MasterClient
from common.parts import Part, get_part
from common.transfers import Patience
from tests.agent.chunks.conftest import MakeTask, clips, divided, make_task, windows
from tests.agent.chunks.kinds import KINDS, make
from tests.agent.conftest import spawner, toolbox
from tests.agent.media.clips import Clips
from tests.faults.proxy import Proxy
from tests.files.support import content, store
from tests.masters import Client, Master

Connect = Callable[..., MasterClient]
__all__ = ["clips", "make_task", "spawner", "toolbox"]


def test_a_part_is_what_the_file_has_there(client: Client, master: Master, connect: Connect) -> None:
    data = content(3_000_000, "parts")
    sha256 = store(client, data)["sha256"]
    for offset, length in ((0, 1), (0, 3_000_000), (1_000_000, 524_288), (2_999_990, 100)):
        part = get_part(connect(master), sha256, offset, length, Patience(20))
        assert part == Part(data[offset : offset + length], 3_000_000)


def test_what_there_is_not_is_refused(client: Client, master: Master, connect: Connect) -> None:
    sha256 = store(client, content(1000, "refused"))["sha256"]
    for wanted, offset, slug in ((sha256, 1000, "wrong_range"), ("0" * 64, 0, "unknown_file")):
        with pytest.raises(ApiError) as caught:
            get_part(connect(master), wanted, offset, 1, Patience(20))
        assert caught.value.slug == slug


def test_it_comes_whole_over_a_line_that_breaks(
    client: Client, master: Master, connect: Connect, open_proxy: Callable[[int], Proxy]
) -> None:
    data = content(6_000_000, "a line that breaks")
    sha256, proxy = store(client, data)["sha256"], open_proxy(master.port)
    calls = iter(range(1000))

    def drop() -> None:
        if next(calls) % 10 == 9:
            proxy.drop_all()

    far = connect(master, port=proxy.port)
    part = get_part(far, sha256, 500_000, 5_000_000, Patience(60, lambda _: None), drop)
    assert part.data == data[500_000:5_500_000]
    assert next(calls) > 40


def test_a_piece_of_a_stored_file_is_that_of_the_file(
    client: Client, master: Master, connect: Connect, clips: Clips, make_task: MakeTask, tmp_path: Path
) -> None:
    clip = make(clips, KINDS["an edit list"])
    sha256 = store(client, clip.read_bytes())["sha256"]
    files = Files(connect(master), Cache(tmp_path / "cache", 10**9), patience=20)
    here, there = make_task(clip), make_task(clip, None, files, input=f"file:{sha256}")
    window = windows(divided(here, clip))[1]
    with piece(here, window) as one, piece(there, window) as other:
        made = [os.pread(cut.descriptor, cut.size + 1, 0) for cut in (one, other)]
        assert made[0] == made[1]
        assert other.read > 0
