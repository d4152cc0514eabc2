"""A file is submitted when it is whole: by how long it has not changed, and by its name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from master.operator.folder import Rules, Settling, State, is_being_written, look
from master.operator.watching import Watch

SMALL, LARGER = State(1, 100, 10), State(1, 100, 20)


def test_it_must_not_have_changed_for_the_time_that_was_stated() -> None:
    settling = Settling(10.0)
    assert settling.whole([(b"a", SMALL)], 0.0) == []
    assert settling.whole([(b"a", SMALL)], 9.9) == []
    assert settling.whole([(b"a", LARGER)], 10.0) == []
    assert settling.whole([(b"a", LARGER)], 19.9) == []
    assert settling.whole([(b"a", LARGER)], 20.0) == [(b"a", LARGER)]


@pytest.mark.parametrize(
    "changed", [State(2, 100, 10), State(1, 101, 10)], ids=["another file", "written again"]
)
def test_one_of_the_same_size_is_another_all_the_same(changed: State) -> None:
    settling = Settling(10.0)
    settling.whole([(b"a", SMALL)], 0.0)
    assert settling.whole([(b"a", changed)], 10.0) == []


def test_one_that_went_away_meanwhile_begins_anew() -> None:
    settling = Settling(10.0)
    settling.whole([(b"a", SMALL)], 0.0)
    settling.whole([], 5.0)
    assert settling.whole([(b"a", SMALL)], 10.0) == []


def test_an_empty_one_is_never_whole_and_not_waited_for() -> None:
    settling = Settling(0.0)
    assert settling.whole([(b"a", State(1, 100, 0))], 0.0) == []
    assert settling.unsettled() == []


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        (b"a.mov", True),
        (b"caf\xe9.mov", True),
        (b"a.MOV", False),
        (b".a.mov", False),
        (b"a.mov.part", False),
        (b"a.mov.tmp", False),
        (b"a.mov~", False),
        (b"a.mp4", False),
        (b"a.TMP", False),
        (b"~", False),
    ],
)
def test_names_decide(name: bytes, taken: bool) -> None:
    assert Rules(("*.mov",)).takes(name) is taken


def test_links_and_hidden_directories_are_left_out_and_depth_is_asked_for(tmp_path: Path) -> None:
    for name in ("a.mov", "deep/b.mov", ".hidden/c.mov"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "link.mov").symlink_to("a.mov")
    (tmp_path / "loop").symlink_to(".")
    assert [path for path, _ in look(os.fsencode(tmp_path), Rules())] == [b"a.mov"]
    assert [path for path, _ in look(os.fsencode(tmp_path), Rules(recursive=True))] == [
        b"a.mov",
        b"deep/b.mov",
    ]


def test_one_that_a_process_still_writes_is_known(tmp_path: Path) -> None:
    file = tmp_path / "a.mov"
    file.write_bytes(b"half")
    assert not is_being_written(os.fsencode(file))
    program = "import sys; file = open(sys.argv[1], 'ab'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert is_being_written(os.fsencode(file))
        writer.communicate()
    assert not is_being_written(os.fsencode(file))


def test_a_job_names_the_file_as_the_nodes_see_it() -> None:
    watch = Watch(b"/srv/in", b"incoming/", "films", {"scenario": "480p-h264"}, "media:finished/{stem}.mp4")
    assert watch.request(b"2024/a day{path}\xe9.mov") == {
        "scenario": "480p-h264",
        "input": r"media:films/incoming/2024/a day{path}\xe9.mov",
        "output": r"media:finished/2024/a day{path}\xe9.mp4",
    }


def test_a_key_is_of_the_file_and_what_is_made_of_it() -> None:
    watch = Watch(b"/srv/in", b"", "films", {"scenario": "480p-h264"})
    other = Watch(b"/srv/in", b"", "films", {"scenario": "720p-h264"})
    keys = {watch.key(b"a", SMALL), watch.key(b"b", SMALL), watch.key(b"a", LARGER), other.key(b"a", SMALL)}
    assert len(keys) == 4
    assert watch.key(b"a", SMALL) in keys


@pytest.mark.parametrize(
    ("path", "stem"),
    [("a.b.mov", "a.b"), ("2024.x/a", "2024.x/a"), ("d/.a", "d/.a"), ("a", "a"), ("d/a.mov", "d/a")],
)
def test_a_stem_is_the_path_without_the_last_suffix_of_its_name(path: str, stem: str) -> None:
    watch = Watch(b"/srv/in", b"", "films", {"scenario": "480p-h264"}, "media:out/{stem}")
    assert watch.request(path.encode())["output"] == f"media:out/{stem}"
