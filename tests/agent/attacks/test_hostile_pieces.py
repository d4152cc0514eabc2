"""A hostile file reaches nothing by being divided or cut, and who reads it is believed no more than it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent.chunks.piece
import agent.chunks.plan
from agent.chunks.given import Given, by_parts, in_place
from agent.chunks.piece import piece_of
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputFailedError
from agent.sandbox import Sandbox
from common.model import Window
from tests.agent.attacks.files import FILES, Bait, HostileFile
from tests.agent.attacks.observe import Listener, TracedSpawner, listening
from tests.agent.chunks.conftest import MakeTask, clips, divided, make_task
from tests.agent.chunks.shelf import Shelf
from tests.agent.media.clips import H264, Clips, picture

__all__ = ["clips", "make_task"]
WINDOW = Window(0, 10, 0, (0, 5120, 0), (1, 12800), 0.0)
SAY = "import os, sys; say = lambda text: sys.stderr.write(text + '\\n'); "


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as listener:
        yield listener


@pytest.fixture
def video(clips: Clips) -> Path:
    return clips.make("video.mp4", *picture("64x64"), *H264)


@pytest.mark.parametrize("hostile", FILES, ids=lambda hostile: hostile.name)
def test_cutting_opens_nothing_but_the_file(
    hostile: HostileFile, video: Path, listener: Listener, tmp_path: Path
) -> None:
    canary, file, traces = tmp_path / "canary.mp4", tmp_path / "innocent.mp4", tmp_path / "traces"
    canary.write_bytes(video.read_bytes())
    traces.mkdir()
    file.write_bytes(hostile.content(Bait(canary, listener.port, video.read_bytes())))
    spawner, shelf = TracedSpawner(traces), Shelf(file.read_bytes())
    with (
        spawner,
        file.open("rb") as opened,
        in_place(opened.fileno()) as here,
        by_parts(shelf.files(tmp_path), shelf.sha256, 10**9, threading.Event()) as asked_for,
    ):
        said = [cut(given, tmp_path, spawner) for given in (here, asked_for)]
        assert said[0] == said[1]
        assert not said[0] or said[0].startswith("input_invalid: no piece of the input could be cut")
        assert "canary" not in said[0]
        for seen in spawner.seen("python"):
            assert not any("canary" in path for path in seen.opened)
            assert seen.network == ()
    assert listener.connections == []


def cut(given: Given, directory: Path, spawner: Spawner) -> str:
    """Why it could not be cut, if it could not: a file may have a picture of its own, too."""
    try:
        with piece_of(given, WINDOW, directory, spawner, Sandbox(), threading.Event()):
            return ""
    except InputFailedError as error:
        return f"{error.code}: {error}"


@pytest.mark.parametrize(
    "program",
    [
        pytest.param("import ctypes; ctypes.string_at(0)", id="crashes"),
        pytest.param("pass", id="says nothing"),
        pytest.param(SAY + "say('nonsense')", id="talks nonsense"),
        pytest.param(SAY + "say('[' * 900)", id="nests deeply"),
        pytest.param(SAY + 'say(\'{"base": true, "packets": 1}\')', id="answers another kind"),
        pytest.param(SAY + 'say(\'{"base": 0, "packets": 0}\')', id="cuts nothing"),
        pytest.param("x = [b'x' * 10_000_000 for _ in range(1000)]", id="fills the memory"),
    ],
)
def test_who_cuts_and_lies_fails_the_input(
    program: str, spawner: Spawner, reading: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.chunks.piece, "_PROGRAM", program)
    (tmp_path / "file").write_bytes(b"no video" * 100)
    with (
        (tmp_path / "file").open("rb") as file,
        in_place(file.fileno()) as given,
        pytest.raises(InputFailedError) as caught,
        piece_of(given, WINDOW, tmp_path, spawner, reading, threading.Event()),
    ):
        pass
    assert caught.value.code == "input_invalid"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "nonsense",
        "[" * 10_000,
        "{}",
        '{"reason": null, "frames": 10, "end": 10, "cuts": []}',
        '{"reason": null, "frames": 10, "end": 10, "cuts": [{"frame": 1, "tick": 1, "lead": [0, 0], '
        '"seek": 0.0}]}',
    ],
    ids=["nothing", "nonsense", "deep", "empty", "no cuts", "a first cut amid the file"],
)
def test_who_divides_and_lies_has_the_file_encoded_whole(
    answer: str, video: Path, make_task: MakeTask, reading: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The arguments are their number, the input, the demuxers, and where the answer goes.
    program = f"import os, sys; os.write(int(sys.argv[4]), {answer.encode()!r}); sys.stderr.write('x')"
    monkeypatch.setattr(agent.chunks.plan, "_PROGRAM", program)
    found = divided(make_task(video, reading), video)
    assert found.reason is not None
    assert found.reason.startswith("The input is encoded whole: what was found in it cannot be true")
    assert found.cuts == ()
    assert list((video.parent / "work").iterdir()) == []
