"""Below a media root only regular files are opened that really are below it, whatever names and links say."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.inputs.media import check_root, open_media
from agent.inputs.rules import InputFailedError, InputRules
from agent.inputs.source import open_input
from agent.runner import run_job
from agent.task import Assignment
from common.inputs import MediaFile
from tests.parts import missing

SECRET, FILM = b"canary", b"film"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A media root with a film, beside a secret that is outside of it."""
    (tmp_path / "canary").write_bytes(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "film").write_bytes(SECRET)
    root = tmp_path / "films"
    (root / "inner").mkdir(parents=True)
    (root / "film").write_bytes(FILM)
    (root / "inner" / "film").write_bytes(FILM)
    return root


def read(root: Path, path: str) -> bytes:
    """What is read of `media:films/PATH`."""
    unfinished = root.with_name("unfinished")
    with open_input(f"media:films/{path}", InputRules({"films": root}), unfinished, threading.Event()) as fd:
        return os.read(fd, 100)


@dataclass(frozen=True, slots=True)
class Trap:
    """Something below the root, and the code that opening it fails with."""

    name: str
    path: str
    code: str
    build: Callable[[Path], object] = lambda _root: None


def _link(target: str) -> Callable[[Path], object]:
    return lambda root: (root / "trap").symlink_to(target)


def _device(root: Path) -> None:
    try:
        os.mknod(root / "trap", 0o20666, os.makedev(1, 5))
    except PermissionError:
        missing("making a device file is not allowed here")


def _socket(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server, _in(root):
        server.bind("trap")


class _in:  # noqa: N801 - reads as a word
    """A socket's path may be 107 bytes long only."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._before = directory, Path.cwd()

    def __enter__(self) -> None:
        os.chdir(self._directory)

    def __exit__(self, *_: object) -> None:
        os.chdir(self._before)


def _chain(root: Path) -> None:
    (root / "trap").symlink_to("second")
    (root / "second").symlink_to("inner/third")
    (root / "inner" / "third").symlink_to("../../canary")


def _linked_pipe(root: Path) -> None:
    os.mkfifo(root / "pipe")
    (root / "trap").symlink_to("pipe")


TRAPS = (
    Trap("percent dots", "%2e%2e/canary", "input_missing"),
    Trap("percent slash", "..%2fcanary", "input_missing"),
    Trap("double percent", "%252e%252e/canary", "input_missing"),
    Trap("full-width dots", "\uff0e\uff0e/canary", "input_missing"),
    Trap("dot leaders", "\u2024\u2024/canary", "input_missing"),
    Trap("two dot leader", "\u2025/canary", "input_missing"),
    Trap("dots and a zero-width space", "..\u200b/canary", "input_missing"),
    Trap("division slash", "..\u2215canary", "input_missing"),
    Trap("overlong UTF-8 as text", "\xc0\xae\xc0\xae/canary", "input_missing"),
    Trap("a space after the dots", ".. /canary", "input_missing"),
    Trap("file as a directory", "film/canary", "input_missing"),
    Trap("variable", "$HOME/canary", "input_missing"),
    Trap("home", "~root/canary", "input_missing"),
    Trap("link to a file outside", "trap", "input_refused", _link("../canary")),
    Trap(
        "link with an absolute path", "trap", "input_refused", lambda r: (r / "trap").symlink_to(r / "film")
    ),
    Trap("link to /etc/passwd", "trap", "input_refused", _link("/etc/passwd")),
    Trap("link to a directory outside", "trap/film", "input_refused", _link("../outside")),
    Trap("link to the root of all", "trap/etc/passwd", "input_refused", _link("/")),
    Trap("links to links", "trap", "input_refused", _chain),
    Trap("out and in again", "trap", "input_refused", _link("../films/film")),
    Trap("link to /proc", "trap", "input_refused", _link("/proc/self/environ")),
    Trap("link to a descriptor", "trap", "input_refused", _link("/proc/self/fd/0")),
    Trap("link to /dev/zero", "trap", "input_refused", _link("/dev/zero")),
    Trap("link to itself", "trap", "input_refused", _link("trap")),
    Trap("link to nothing", "trap", "input_missing", _link("nothing")),
    Trap("pipe", "trap", "input_refused", lambda root: os.mkfifo(root / "trap")),
    Trap("device", "trap", "input_refused", _device),
    Trap("socket", "trap", "input_refused", _socket),
    Trap("directory", "inner", "input_refused"),
    Trap("link to a pipe", "trap", "input_refused", _linked_pipe),
    Trap("empty file", "trap", "input_invalid", lambda root: (root / "trap").touch()),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_it_is_not_opened(trap: Trap, root: Path) -> None:
    trap.build(root)
    with pytest.raises(InputFailedError) as caught:
        read(root, trap.path)
    assert caught.value.code == trap.code
    assert str(root.parent) not in str(caught.value)


def test_links_that_stay_below_the_root_are_followed(root: Path) -> None:
    (root / "inner" / "link").symlink_to("../film")
    (root / "directory").symlink_to("inner")
    assert read(root, "directory/link") == FILM


def test_another_root_is_refused_by_its_name(root: Path) -> None:
    with (
        pytest.raises(InputFailedError, match="declares no media root 'news'") as caught,
        open_input("media:news/film", InputRules({"films": root}), root / "x", threading.Event()),
    ):
        pass
    assert caught.value.code == "input_refused"


def test_a_root_that_is_gone_is_the_nodes_fault(root: Path) -> None:
    with pytest.raises(OSError, match="is its disk mounted"):
        open_media(MediaFile("films", "film"), root / "nothing")
    with pytest.raises(OSError, match="is its disk mounted"):
        check_root(root / "film")
    check_root(root)


@pytest.fixture
def swapping(root: Path) -> Iterator[None]:
    """Somebody swaps a directory for a link that leads out, and back, all the time."""
    (root / "real").mkdir()
    (root / "real" / "film").write_bytes(FILM)
    (root / "link").symlink_to("../outside")
    ended = threading.Event()

    def swap() -> None:
        while not ended.is_set():
            for name in ("real", "link"):
                (root / name).rename(root / "now")
                (root / "now").rename(root / name)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@pytest.mark.usefixtures("swapping")
def test_a_directory_that_is_swapped_for_a_link_meanwhile_leads_nowhere(root: Path) -> None:
    read_ = []
    for _ in range(3000):
        with suppress(InputFailedError):
            read_.append(read(root, "now/film"))
    assert set(read_) == {FILM}


class _NobodyStarts(Spawner):
    def spawn(self, *_: object, **__: object) -> None:  # type: ignore[override]  # it never returns
        pytest.fail("nothing may be started for it")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"job_id": "../../canary"}, "agent_error"),
        ({"job_id": "-i"}, "agent_error"),
        ({"job_id": "a\nb"}, "agent_error"),
        ({"job_id": "/etc"}, "agent_error"),
        ({"job_id": "a" * 200}, "agent_error"),
        ({"scenario": "../480p-h264"}, "agent_error"),
        ({"scenario": "-i"}, "agent_error"),
        ({"lease_id": "../../x"}, "agent_error"),
        ({"input": "file:/etc/passwd"}, "input_refused"),
        ({"input": "media:films/../canary"}, "input_refused"),
        ({"input": "-i"}, "input_refused"),
        ({"input": "https://127.0.0.1/"}, "input_refused"),
    ],
    ids=str,
)
def test_a_master_that_lies_starts_nothing_either(wrong: dict[str, str], code: str, root: Path) -> None:
    given = {"job_id": "job-1", "scenario": "480p-h264", "lease_id": "lease-1", "input": "media:films/film"}
    given |= wrong
    toolbox = Toolbox({"libx264": FFmpeg(Path("/nothing"), "9.0")})
    with _NobodyStarts() as spawner:
        report = run_job(
            Assignment(given["job_id"], given["scenario"], {}, given["lease_id"], 1, given["input"]),
            "node-1",
            toolbox,
            spawner,
            root.with_name("work"),
            lambda _progress, _lines: None,
            threading.Event(),
            inputs=InputRules({"films": root}),
        )
    assert report is not None
    assert report.error is not None
    assert report.error.code == code
    assert [file for file in root.with_name("work").rglob("*") if file.is_file()] == []
