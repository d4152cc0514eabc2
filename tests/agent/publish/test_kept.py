"""Without an output what a job made stays in its own directory, in place of what an earlier attempt left."""

from __future__ import annotations

from pathlib import Path

from tests.agent.publish.attempt import JOB, PIECES, VIDEO, Attempt, tree


def test_a_file_has_the_name_of_its_scenario(tmp_path: Path) -> None:
    published = Attempt(tmp_path).publishes()
    assert tree(tmp_path) == {f"{JOB}/480p-h264.mp4": b"the whole film"}
    assert published.path == str(tmp_path / JOB / "480p-h264.mp4")
    assert published.artifacts[0].location is None


def test_pieces_and_further_files_have_a_directory(tmp_path: Path) -> None:
    published = Attempt(tmp_path).publishes(PIECES, pieces=True)
    assert tree(tmp_path / JOB) == {f"480p-h264/{name}": content for name, content in PIECES.items()}
    assert published.path == str(tmp_path / JOB / "480p-h264" / "480p-h264.m3u8")
    Attempt(tmp_path, number=2).publishes({**VIDEO, "poster.jpg": b"jpeg"})
    assert tree(tmp_path / JOB)["480p-h264.mp4.files/poster.jpg"] == b"jpeg"


def test_a_later_attempt_replaces_what_an_earlier_one_left(tmp_path: Path) -> None:
    for number, files in enumerate(({**PIECES, "0003.m4s": b"third"}, PIECES), start=1):
        Attempt(tmp_path, number=number).publishes(files, pieces=True)
    assert tree(tmp_path / JOB / "480p-h264") == PIECES
    assert [path.name for path in (tmp_path / JOB).iterdir()] == ["480p-h264"]


def test_a_path_of_any_bytes_is_reported_as_text(tmp_path: Path) -> None:
    work_dir = tmp_path / b"caf\xe9\n".decode("utf-8", "surrogateescape")
    assert Attempt(work_dir).publishes().path == rf"{tmp_path}/caf\xe9\x0a/{JOB}/480p-h264.mp4"
