"""What can be seen of an output, and of its source beside it; and where not, the page says why."""

from __future__ import annotations

from typing import Any

from master.api.dashboard.viewing import Video, viewing

A, B = "a" * 64, "b" * 64


def artifact(
    kind: str = "video", location: str | None = f"file:{A}", path: str = "film.mp4"
) -> dict[str, Any]:
    return {"path": path, "kind": kind, "media_type": "video/mp4", "location": location}


def seen(
    *artifacts: dict[str, Any],
    source: str | None = f"file:{B}",
    status: str = "completed",
    stored: str = A + B,
    archived: bool = False,
) -> Any:
    result = {"artifacts": list(artifacts)}
    return viewing({"status": status, "input": source}, result, lambda sha: sha in stored, archived=archived)


def test_both_are_shown_if_both_are_in_the_file_store() -> None:
    found = seen(artifact())
    assert found.output == Video("film.mp4", A, "video/mp4")
    assert found.source == Video(None, B, None)
    assert (found.output_reason, found.source_reason) == ("", "")


def test_of_an_archived_job_the_output_is_known_by_its_hash_alone() -> None:
    assert seen(artifact(), archived=True).output == Video(None, A, "video/mp4")


def test_before_the_end_and_after_a_failure_there_is_nothing() -> None:
    nothing = viewing({"status": "running", "input": None}, None, lambda _: True, archived=False)
    assert "when the job is completed" in nothing.output_reason
    assert "failed" in seen(artifact(), status="failed").output_reason


def test_an_output_that_stayed_on_the_node_says_how_to_have_it_here() -> None:
    assert "on the node alone" in seen(artifact(location=None)).output_reason
    assert "media:finished/a.mp4" in seen(artifact(location="media:finished/a.mp4")).output_reason


def test_what_has_left_the_file_store_is_told() -> None:
    found = seen(artifact(), stored="")
    assert found.output is None
    assert found.source is None
    assert "any more" in found.output_reason
    assert "any more" in found.source_reason


def test_a_stream_in_pieces_is_left_to_other_players() -> None:
    pieces = [artifact("playlist", path="a.m3u8"), artifact("segment", path="1.m4s")]
    assert "playlist" in seen(*pieces).output_reason


def test_pictures_alone_are_no_video() -> None:
    assert "no video" in seen(artifact("poster")).output_reason
    assert "no files" in seen().output_reason


def test_a_source_that_the_master_does_not_read_is_named() -> None:
    assert "media:films/a.mp4" in seen(artifact(), source="media:films/a.mp4").source_reason
    assert "test picture" in seen(artifact(), source=None).source_reason
