"""An output is there whole, under its name, or not at all; nothing of anybody is replaced unasked."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.produced import Produced
from agent.publish.rules import OutputFailedError
from agent.publish.step import prepare, publish
from agent.task import AbortedError
from common.model import ArtifactKind
from common.paths import to_text
from tests.agent.publish.attempt import JOB, PIECES, VIDEO, Attempt, tree

OTHER = "770e8400-e29b-41d4-a716-446655440002"


def attempt(tmp_path: Path, root: Path, path: str = "a.mp4", **more: object) -> Attempt:
    return Attempt(tmp_path / "work", f"media:finished/{path}", roots={"finished": root}, **more)  # type: ignore[arg-type]  # the fields of an attempt


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def test_a_file_gets_its_name_and_its_hash(tmp_path: Path, root: Path) -> None:
    published = attempt(tmp_path, root, "2024/a day.mp4").publishes()
    assert tree(root) == {"2024/a day.mp4": b"the whole film"}
    (artifact,) = published.artifacts
    assert (artifact.location, artifact.size) == ("media:finished/2024/a day.mp4", 14)
    assert artifact.sha256 == hashlib.sha256(b"the whole film").hexdigest()
    assert published.path is None
    assert not (tmp_path / "work" / JOB).exists()


def test_pieces_are_one_directory(tmp_path: Path, root: Path) -> None:
    published = attempt(tmp_path, root, "show").publishes(PIECES, pieces=True)
    assert tree(root / "show") == PIECES
    assert [artifact.location for artifact in published.artifacts][-1] == "media:finished/show/720p/0002.m4s"


def test_further_files_are_in_a_directory_beside_the_main_one(tmp_path: Path, root: Path) -> None:
    published = attempt(tmp_path, root).publishes({**VIDEO, "quality.json": b"{}"})
    assert tree(root) == {"a.mp4": b"the whole film", "a.mp4.files/quality.json": b"{}"}
    assert published.artifacts[1].location == "media:finished/a.mp4.files/quality.json"


@pytest.mark.parametrize(
    "name", [b"caf\xe9.mp4", b"a\nb'\"$(x)%s.mp4", b"-i", "😀".encode(), b"x" * 255, b"a\\b"]
)
def test_names_of_any_bytes_are_written_as_they_are(tmp_path: Path, root: Path, name: bytes) -> None:
    published = attempt(tmp_path, root, to_text(b"d\xff/" + name)).publishes()
    assert [os.fsencode(path.name) for path in root.glob("*/*")] == [name]
    assert published.artifacts[0].location == f"media:finished/{to_text(b'd' + bytes([255]) + b'/' + name)}"


def test_what_is_there_stays_and_the_job_fails_before_it_encodes(tmp_path: Path, root: Path) -> None:
    (root / "a.mp4").write_bytes(b"precious")
    job = attempt(tmp_path, root)
    with job.task() as task, pytest.raises(OutputFailedError, match="is there already") as caught:
        prepare(task, pieces=False, given=None)
    assert caught.value.code == "output_exists"
    assert str(root) not in str(caught.value)
    assert tree(root) == {"a.mp4": b"precious"}


@pytest.mark.parametrize(("files", "pieces"), [(VIDEO, False), (PIECES, True)], ids=["file", "pieces"])
def test_what_comes_there_during_the_encode_stays(
    tmp_path: Path, root: Path, files: Mapping[str, bytes], pieces: bool
) -> None:
    def may_work() -> bool:
        if list(root.glob(".ffrtmp-*.part")):  # it is beside its place, and about to get its name
            (root / "a.mp4").write_bytes(b"precious")
        return True

    job = attempt(tmp_path, root, may_work=may_work)
    assert job.fails(files, pieces=pieces) == "output_exists"
    assert tree(root) == {"a.mp4": b"precious"}


def test_a_file_is_overwritten_when_that_is_asked(tmp_path: Path, root: Path) -> None:
    (root / "a.mp4").write_bytes(b"old")
    attempt(tmp_path, root, parameters={"overwrite": True}).publishes()
    assert tree(root) == {"a.mp4": b"the whole film"}
    assert names(root) == ["a.mp4"]


def test_a_link_at_the_place_is_replaced_and_not_followed(tmp_path: Path, root: Path) -> None:
    (root / "target").write_bytes(b"precious")
    (root / "a.mp4").symlink_to("target")
    attempt(tmp_path, root, parameters={"overwrite": True}).publishes()
    assert tree(root) == {"a.mp4": b"the whole film", "target": b"precious"}


def test_a_directory_of_ours_is_overwritten_as_a_whole(tmp_path: Path, root: Path) -> None:
    attempt(tmp_path, root, "show", job_id=OTHER).publishes({**PIECES, "0003.m4s": b"third"}, pieces=True)
    assert attempt(tmp_path, root, "show").fails(PIECES, pieces=True) == "output_exists"
    attempt(tmp_path, root, "show", parameters={"overwrite": True}).publishes(PIECES, pieces=True)
    assert tree(root / "show") == PIECES
    assert names(root) == ["show"]


@pytest.mark.parametrize("extra", ["show/holiday.jpg", "show/720p/holiday.jpg", "show/empty/x"])
def test_a_directory_with_something_else_in_it_is_never_replaced(
    tmp_path: Path, root: Path, extra: str
) -> None:
    attempt(tmp_path, root, "show").publishes(PIECES, pieces=True)
    (root / extra).parent.mkdir(exist_ok=True)
    (root / extra).write_bytes(b"precious")
    again = attempt(tmp_path, root, "show", parameters={"overwrite": True}, number=2)
    assert again.fails(PIECES, pieces=True) == "output_exists"
    assert "not ours alone" in again.message
    assert (root / extra).read_bytes() == b"precious"


@pytest.mark.parametrize("at", ["film.mp4", "hard", "soft"])
def test_the_source_is_never_overwritten(tmp_path: Path, root: Path, at: str) -> None:
    (root / "film.mp4").write_bytes(b"source")
    (root / "hard").hardlink_to(root / "film.mp4")
    (root / "soft").symlink_to("film.mp4")
    with (root / "film.mp4").open("rb") as source:
        job = attempt(tmp_path, root, at, parameters={"overwrite": True}, number=2)
        assert job.fails(given=source.fileno()) == "output_refused"
    assert "the input itself" in job.message
    assert tree(root) == dict.fromkeys(("film.mp4", "hard", "soft"), b"source")


def test_a_directory_with_the_source_in_it_is_never_replaced(tmp_path: Path, root: Path) -> None:
    attempt(tmp_path, root, "show").publishes(PIECES, pieces=True)
    with (root / "show/720p/0001.m4s").open("rb") as source:
        job = attempt(tmp_path, root, "show", parameters={"overwrite": True}, number=2)
        assert job.fails(PIECES, pieces=True, given=source.fileno()) == "output_refused"
    assert tree(root / "show") == PIECES


@pytest.mark.parametrize("files", [VIDEO, {"480p-h264.mp4": b"other bytes: encoders are not deterministic"}])
def test_the_file_of_an_attempt_whose_report_was_lost_is_its_own(
    tmp_path: Path, root: Path, files: Mapping[str, bytes]
) -> None:
    attempt(tmp_path, root).publishes()
    try:
        os.getxattr(root / "a.mp4", "user.ffrtmp.job")
    except OSError:
        files = VIDEO  # a file system without attributes: only the same bytes are known again
    attempt(tmp_path, root, number=2, node_id="node-two").publishes(files)
    assert tree(root) == {"a.mp4": next(iter(files.values()))}
    assert attempt(tmp_path, root, number=2, job_id=OTHER).fails({"480p-h264.mp4": b"x"}) == "output_exists"


def test_the_directory_of_an_attempt_whose_report_was_lost_is_its_own(tmp_path: Path, root: Path) -> None:
    attempt(tmp_path, root, "show").publishes({**PIECES, "0003.m4s": b"third"}, pieces=True)
    attempt(tmp_path, root, "show", number=2).publishes(PIECES, pieces=True)
    assert tree(root / "show") == PIECES


@pytest.mark.parametrize("link", ["../outside", "/etc"])
def test_no_link_leads_out_of_the_root(tmp_path: Path, root: Path, link: str) -> None:
    outside = root.parent / "outside"
    made = not outside.exists()
    outside.mkdir(exist_ok=True)
    (root / "out").symlink_to(link)
    job = attempt(tmp_path, root, "out/deeper/a.mp4", number=2)
    assert job.fails() == "output_refused"
    assert "leads out" in job.message
    assert list(outside.iterdir()) == []
    if made:
        outside.rmdir()


def test_links_within_the_root_are_followed(tmp_path: Path, root: Path) -> None:
    (root / "real").mkdir()
    (root / "link").symlink_to("real")
    attempt(tmp_path, root, "link/new/a.mp4").publishes()
    assert (root / "real/new/a.mp4").read_bytes() == b"the whole film"


def test_a_failed_output_leaves_no_directory_behind(tmp_path: Path, root: Path) -> None:
    job = attempt(tmp_path, root, "2024/may/a.mp4")
    with pytest.raises(OutputFailedError, match="cannot be opened"), job.task() as task:
        publish(task, [Produced("gone.mp4", ArtifactKind.VIDEO, "video/mp4")], pieces=False, given=None)
    assert list(root.iterdir()) == []

    def may_work() -> bool:
        job.abort.set()
        return True

    job.may_work = may_work
    with pytest.raises(AbortedError):
        job.publishes()
    assert list(root.iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path, root: Path) -> None:
    (root / "2024").write_bytes(b"no directory")
    job = attempt(tmp_path, root, "2024/a.mp4")
    assert job.fails() == "output_refused"
    assert "a file is in the way" in job.message


def test_a_directory_at_the_place_of_a_file_stays(tmp_path: Path, root: Path) -> None:
    (root / "a.mp4").mkdir()
    assert attempt(tmp_path, root, parameters={"overwrite": True}).fails() == "output_exists"
    assert (root / "a.mp4").is_dir()


def test_another_root_is_refused_by_its_name(tmp_path: Path, root: Path) -> None:
    job = Attempt(tmp_path / "work", "media:news/a.mp4", roots={"finished": root})
    assert job.fails() == "output_refused"
    assert "writes to no media root 'news'" in job.message


@pytest.mark.parametrize("trap", ["link", "pipe", "directory"])
def test_an_encoder_that_was_taken_over_publishes_no_file_of_others(
    tmp_path: Path, root: Path, trap: str
) -> None:
    (tmp_path / "canary").write_bytes(b"secret")
    job = attempt(tmp_path, root)
    with job.task() as task:
        path = task.directory / "a.mp4"
        if trap == "link":
            path.symlink_to(tmp_path / "canary")
        elif trap == "pipe":
            os.mkfifo(path)
        else:
            path.mkdir()
        with pytest.raises(OutputFailedError) as caught:
            publish(task, [Produced("a.mp4", ArtifactKind.VIDEO, "video/mp4")], pieces=False, given=None)
    assert caught.value.code == "output_invalid"
    assert list(root.iterdir()) == []


def test_an_attempt_that_is_suspended_waits_with_its_output(tmp_path: Path, root: Path) -> None:
    allowed, asked = threading.Event(), threading.Event()

    def may_work() -> bool:
        asked.set()
        return allowed.is_set()

    job = attempt(tmp_path, root, may_work=may_work)
    thread = threading.Thread(target=job.publishes)
    thread.start()
    assert asked.wait(20)
    assert list(root.iterdir()) == []
    allowed.set()
    thread.join(20)
    assert tree(root) == {"a.mp4": b"the whole film"}
