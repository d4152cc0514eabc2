"""A piece of a stored file is, byte for byte, that of the same file on a disk; little else of it is got."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.chunks.blocks import AHEAD, BLOCK
from agent.chunks.piece import Piece, piece
from agent.ffmpeg.discover import Toolbox
from agent.sandbox import Sandbox
from common.model import Window
from tests.agent.chunks.conftest import MakeTask, divided, windows
from tests.agent.chunks.kinds import KINDS, make
from tests.agent.chunks.shelf import Shelf
from tests.agent.media.clips import Clips, picture, tone

FRAMES, CHUNKS = 1500, 6
PROBED = 5_000_000
"""Bytes that libav reads of a file at most to find out what it is (`probesize`)."""
FRONT = ("-movflags", "+faststart")
LARGE = {
    "an mp4 whose index is behind": ("a.mp4", ()),
    "an mp4 whose index is in front": ("a.mp4", FRONT),
    "matroska": ("a.mkv", ()),
    "a transport stream": ("a.ts", ()),
}


def content(cut: Piece) -> bytes:
    with os.fdopen(os.dup(cut.rewound()), "rb") as file:
        return file.read()


@pytest.mark.parametrize(
    "name",
    [
        *("constant rate", "variable rate", "open groups", "vp9 with hidden frames", "an edit list"),
        *("mpeg-2 whose clock wraps around", "h264 in a transport stream", "a single key frame"),
    ],
)
def test_a_piece_is_the_same_wherever_its_input_lies(
    name: str, clips: Clips, make_task: MakeTask, tmp_path: Path, sandbox: Sandbox
) -> None:
    clip = make(clips, KINDS[name])
    shelf = Shelf(clip.read_bytes())
    here = make_task(clip, sandbox)
    there = make_task(clip, sandbox, shelf.files(tmp_path), input=f"file:{shelf.sha256}")
    for window in windows(divided(here, clip))[1:2]:
        with piece(here, window) as one, piece(there, window) as other:
            assert (one.base, one.packets, one.size) == (other.base, other.packets, other.size)
            assert content(one) == content(other)
            assert (one.read, other.read) == (0, min(other.read, len(shelf.data)))
            assert other.read > 0


@pytest.fixture(scope="module")
def large(toolbox: Toolbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of a minute and 60 MB, of which most is padding."""
    clips = Clips(toolbox.chosen["libx264"].path, tmp_path_factory.mktemp("large"))
    padded = "nal-hrd=cbr:keyint=25:scenecut=0"
    return clips.make(
        "large.mkv",
        *picture("64x64", "25", FRAMES / 25),
        *tone(seconds=FRAMES / 25),
        *("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "8M", "-minrate", "8M", "-maxrate", "8M"),
        *("-bufsize", "4M", "-x264-params", padded, "-c:a", "aac"),
    )


@pytest.mark.parametrize("name", LARGE)
def test_of_a_file_of_many_chunks_only_the_bytes_of_one_are_got(
    name: str, large: Path, clips: Clips, make_task: MakeTask, tmp_path: Path
) -> None:
    file, options = LARGE[name]
    clip = clips.make(file, "-i", str(large), "-map", "0", "-c", "copy", *options)
    shelf = Shelf(clip.read_bytes())
    size = len(shelf.data)
    cuts = windows(divided(make_task(clip), clip))
    # The fourth of six chunks.
    first, last = cuts[len(cuts) * 3 // CHUNKS], cuts[len(cuts) * 4 // CHUNKS - 1]
    window = Window(
        first.first, last.end, first.lead,
        (first.ticks[0], last.ticks[1], first.ticks[2]), first.time_base, first.seek,
    )  # fmt: skip
    task = make_task(clip, None, shelf.files(tmp_path), input=f"file:{shelf.sha256}")
    with piece(task, window) as cut:
        got, packets = cut.read, cut.packets
    share = packets / FRAMES
    # It has what it needs: its own frames, those around it, and those from the key frame on.
    assert 1 / CHUNKS < share < 1 / CHUNKS + (4 + 25 + 10) / FRAMES
    assert share * size * 0.9 < got < share * size + PROBED + 2 * AHEAD * BLOCK
    # The first question was how large the file is.
    assert sum(length for _, length in shelf.asked[1:]) == got
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_that_was_got_before_is_read_from_the_cache(
    clips: Clips, make_task: MakeTask, tmp_path: Path
) -> None:
    clip = make(clips, KINDS["constant rate"])
    shelf = Shelf(clip.read_bytes())
    files = shelf.files(tmp_path)
    (tmp_path / "cache" / shelf.sha256).write_bytes(shelf.data)
    looks: list[bool] = []
    files.on_look = looks.append
    task = make_task(clip, None, files, input=f"file:{shelf.sha256}")
    with piece(task, windows(divided(task, clip))[1]) as cut:
        assert cut.read == 0
    assert (shelf.asked, looks) == ([], [True])


def test_it_is_noted_that_a_file_was_not_in_the_cache_and_how_much_of_it_was_got(
    clips: Clips, make_task: MakeTask, tmp_path: Path
) -> None:
    clip = make(clips, KINDS["constant rate"])
    shelf = Shelf(clip.read_bytes())
    files = shelf.files(tmp_path)
    looks: list[bool] = []
    parts: list[int] = []
    files.on_look, files.on_part = looks.append, parts.append
    task = make_task(clip, None, files, input=f"file:{shelf.sha256}")
    with piece(task, windows(divided(task, clip))[1]) as cut:
        assert sum(parts) == cut.read + 1
    assert looks == [False]
