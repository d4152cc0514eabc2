"""A file store that fails while a piece is cut is waited for, or the job is told; no piece is a half."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

import agent.chunks.given
import agent.chunks.piece
import common.transfers
from agent.chunks.piece import piece
from agent.inputs.rules import InputFailedError, InputRules
from agent.sandbox import Sandbox
from agent.task import AbortedError, Task
from common.model import Window
from tests.agent.chunks.conftest import MakeTask, divided, windows
from tests.agent.chunks.kinds import KINDS, make
from tests.agent.chunks.shelf import Shelf, problem
from tests.agent.conftest import wait_until
from tests.agent.media.clips import Clips

WINDOW = Window(0, 10, 0, (0, 5120, 0), (1, 12800), 0.0)
ASK = "import socket, struct, sys; s = socket.socket(fileno=int(sys.argv[2])); "
ANSWER = '; sys.stderr.write(\'{"base": 0, "packets": 1}\\n\')'


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(common.transfers, "_FIRST_PAUSE", 0.001)


@pytest.fixture
def clip(clips: Clips) -> Path:
    return make(clips, KINDS["constant rate"])


@pytest.fixture
def shelf(clip: Path) -> Shelf:
    return Shelf(clip.read_bytes())


@pytest.fixture
def task(clip: Path, shelf: Shelf, make_task: MakeTask, tmp_path: Path) -> Task:
    return make_task(clip, None, shelf.files(tmp_path, 0.5), input=f"file:{shelf.sha256}")


def failure(task: Task, window: Window = WINDOW) -> InputFailedError:
    with pytest.raises(InputFailedError) as caught, piece(task, window):
        pass
    assert list(task.directory.iterdir()) == []
    assert not any(thread.name == "parts" for thread in threading.enumerate())
    return caught.value


def with_tools(task: Task, **tools: Any) -> Task:
    return replace(task, tools=replace(task.tools, **tools))


def raising(error: Exception, at: int) -> Callable[[int], None]:
    """Fails from the question with that number on."""

    def before(number: int) -> None:
        if number >= at:
            raise error

    return before


def test_faults_change_no_byte_of_the_piece(
    clip: Path, shelf: Shelf, task: Task, make_task: MakeTask
) -> None:
    here = make_task(clip)
    window = windows(divided(here, clip))[1]
    shelf.breaks_at = {1: 0, 6: 1000}

    def away(number: int) -> None:
        if number in (0, 2, 5):
            raise requests.ConnectionError
        if number == 3:
            raise problem(503, "too_busy")

    shelf.before = away
    with piece(here, window) as one, piece(task, window) as other:
        whole = [os.pread(cut.descriptor, cut.size + 1, 0) for cut in (one, other)]
    assert whole[0] == whole[1]
    assert len(shelf.asked) > 7


@pytest.mark.parametrize("at", [0, 1], ids=["at first", "later"])
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.ConnectionError("away"), "input_unreachable"),
        (problem(404, "unknown_file"), "input_missing"),
        (problem(403, "forbidden"), "input_unreachable"),
    ],
    ids=["away", "gone", "forbidden"],
)
def test_a_store_that_gives_no_more_fails_the_input(
    at: int, error: Exception, code: str, shelf: Shelf, task: Task
) -> None:
    shelf.before = raising(error, at)
    assert failure(task).code == code


def test_a_file_that_is_too_large_or_empty_is_refused(
    clip: Path, shelf: Shelf, make_task: MakeTask, tmp_path: Path
) -> None:
    files = shelf.files(tmp_path)
    task = make_task(clip, None, files, input=f"file:{shelf.sha256}")
    error = failure(with_tools(task, inputs=InputRules(max_size=len(shelf.data) - 1)))
    assert (error.code, "--max-input-size" in str(error)) == ("input_invalid", True)
    shelf.data = b""
    assert failure(make_task(clip, None, files, input=f"file:{shelf.sha256}")).code == "input_invalid"


def test_the_end_of_the_job_ends_it_while_the_store_is_away(shelf: Shelf, task: Task) -> None:
    def away(number: int) -> None:
        if number:
            task.tools.abort.set()
            raise requests.ConnectionError

    shelf.before = away
    with pytest.raises(AbortedError), piece(task, WINDOW):
        pass
    assert not any(thread.name == "parts" for thread in threading.enumerate())


def test_who_waits_long_for_the_store_is_suspended_meanwhile(
    shelf: Shelf, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.chunks.given, "SLOW", 0.05)
    seen: list[bool] = []

    def slow(number: int) -> None:
        if number == 1:
            seen.append(wait_until(is_stopped))

    shelf.before = slow
    with piece(task, WINDOW) as cut:
        assert cut.packets > 0
    assert seen == [True]


def is_stopped() -> bool:
    with suppress(psutil.Error):  # it became another program just now
        return any(
            each.status() == psutil.STATUS_STOPPED
            for each in psutil.Process().children(recursive=True)
            if "agent.chunks.cutter" in " ".join(each.cmdline())
        )
    return False


@pytest.mark.parametrize(
    ("program", "why"),
    [
        pytest.param("s.send(struct.pack('!QI', 2**40, 1)); s.recv(1)", "asked for 1 bytes", id="far behind"),
        pytest.param("s.send(struct.pack('!QI', 0, 2**32 - 1)); s.recv(1)", "asked for 4294967295", id="all"),
        pytest.param("s.send(b'hello'); s.close()", "amid a question", id="half a question"),
    ],
)
def test_a_process_that_asks_for_what_there_is_not_gets_nothing_and_is_not_believed(
    program: str, why: str, task: Task, reading: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.chunks.piece, "_PROGRAM", ASK + program + ANSWER)
    error = failure(with_tools(task, sandbox=reading))
    assert (error.code, why in str(error)) == ("input_invalid", True)


def test_a_process_that_reads_no_answers_ends_all_the_same(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = "[s.send(struct.pack('!QI', 0, 1000)) for _ in range(5000)]"
    program = ASK + f"s.setblocking(False)\ntry: {flood}\nexcept OSError: pass\nsys.exit(3)"
    monkeypatch.setattr(agent.chunks.piece, "_PROGRAM", program)
    assert failure(task).code == "input_invalid"


def test_a_process_that_crashes_says_nothing_of_the_store(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.chunks.piece, "_PROGRAM", ASK + "import ctypes; ctypes.string_at(0)")
    error = failure(task)
    assert (error.code, "signal 11" in str(error)) == ("input_invalid", True)
