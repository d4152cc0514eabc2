"""An input that other nodes cannot read is put into the file store, once, under its own name."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from agent.chunks.plan import called
from agent.publish.rules import OutputFailedError
from common.transfers import TransferError
from tests.agent.chunks.conftest import MakeTask, divided
from tests.agent.chunks.kinds import KINDS, make
from tests.agent.media.clips import Clips
from tests.files.support import sha256_of


class Store:
    """Takes files, and notes what it was told of them."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.put_in: list[tuple[str, str | None, str | None, str]] = []
        self._fails = fails

    def put(
        self,
        path: Path,
        job_id: str,
        abort: threading.Event,
        media_type: str | None = None,
        name: str | None = None,
    ) -> str:
        """As `agent.files.Files` has it."""
        if self._fails is not None:
            raise self._fails
        sha256 = sha256_of(path.read_bytes())
        self.put_in.append((sha256, name, media_type, job_id))
        return sha256


@pytest.fixture
def clip(clips: Clips) -> Path:
    return make(clips, KINDS["constant rate"]).rename(clips.directory / "a day ä.mp4")


def test_it_is_put_there_under_its_name(clip: Path, make_task: MakeTask) -> None:
    store = Store()
    found = divided(make_task(clip, files=store, hand_on=True), clip)
    sha256 = sha256_of(clip.read_bytes())
    assert (found.reason, found.input) == (None, f"file:{sha256}")
    assert store.put_in == [(sha256, "a day ä.mp4", "video/mp4", "job-1")]


def test_one_that_others_can_read_is_not_put_there(clip: Path, make_task: MakeTask) -> None:
    store = Store()
    assert divided(make_task(clip, files=store), clip).input is None
    assert store.put_in == []


def test_one_that_is_there_is_not_sent_again(clip: Path, make_task: MakeTask) -> None:
    store, sha256 = Store(), sha256_of(clip.read_bytes())
    found = divided(make_task(clip, files=store, hand_on=True, input=f"file:{sha256}"), clip)
    assert (found.input, store.put_in) == (f"file:{sha256}", [])


def test_one_that_is_encoded_whole_is_not_put_there(clips: Clips, make_task: MakeTask) -> None:
    store, clip = Store(), clips.make("a.avi", "-f", "lavfi", "-i", "testsrc2=d=1", "-c:v", "mpeg4")
    found = divided(make_task(clip, files=store, hand_on=True), clip)
    assert (found.reason is None, found.input, store.put_in) == (False, None, [])


def test_a_store_that_does_not_take_it_is_named_with_the_file(clip: Path, make_task: MakeTask) -> None:
    task = make_task(clip, files=Store(TransferError("no room")), hand_on=True)
    with pytest.raises(OutputFailedError, match=r"a day ä\.mp4 could not be sent") as caught:
        divided(task, clip)
    assert caught.value.code == "output_unreachable"


@pytest.mark.parametrize(
    ("text", "url", "name"),
    [
        ("media:films/below/b.mkv", False, "b.mkv"),
        ("media:films/a\\xff.mp4", False, "a\\xff.mp4"),
        ("https://example.com/films/a%20day.mp4?token=secret", True, "a day.mp4"),
        ("https://example.com/?token=secret", True, "example.com"),
        ("https://example.com/a%0Ab.mp4", True, "a_b.mp4"),
        ("s3://bucket/films/what?.mp4", False, "what?.mp4"),
        ("s3://bucket/films/", False, "films"),
        ("media:films/" + 300 * "x" + ".mp4", False, 251 * "x" + ".mp4"),
    ],
)
def test_it_is_called_by_the_last_name_of_its_path(text: str, url: bool, name: str) -> None:
    assert called(text, url=url) == name
