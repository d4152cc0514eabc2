"""What cannot be encoded is refused with a sentence that a person can act on, and leaves nothing behind."""

from __future__ import annotations

import zipfile

import pytest

from common.model import Failure
from tests.agent.media.clips import H264, Clips, output, picture, tone
from tests.agent.media.conftest import Convert

KEY = "76a6c65c5ea762046bd749a2e632ccbb"


def refused(clips: Clips, convert: Convert, name: str, content: bytes | None = None) -> Failure:
    if content is not None:
        (clips.directory / name).write_bytes(content)
    report = convert(clips.directory / name)
    assert report.error is not None
    assert not (clips.directory / "work" / "job-1").exists()
    return report.error


def test_no_bytes(clips: Clips, convert: Convert) -> None:
    failure = refused(clips, convert, "empty.mp4", b"")
    assert (failure.code, failure.message) == (
        "input_invalid",
        "'empty.mp4' below the media root 'clips' is empty",
    )


@pytest.mark.parametrize("content", [b"Dear reader,\n" * 1000, b"\x00" * 100_000, b"\x89PNG\r\n\x1a\n" * 99])
def test_no_video(content: bytes, clips: Clips, convert: Convert) -> None:
    failure = refused(clips, convert, "letter.mp4", content)
    assert failure.code == "input_invalid"
    assert "cannot be read as video" in failure.message
    assert "of a kind that is not read, whatever its name says" in failure.message


def test_sound_alone(clips: Clips, convert: Convert) -> None:
    clips.make("song.mp4", *tone(), "-c:a", "aac")
    assert refused(clips, convert, "song.mp4") == Failure("input_invalid", "the input has no video stream")


def test_a_cover_and_sound(clips: Clips, convert: Convert) -> None:
    cover = [*picture("32x32"), "-c:v", "png", "-frames:v", "1", "-disposition:v", "attached_pic"]
    clips.make("song.mp4", *tone(), *cover, "-c:a", "aac")
    failure = refused(clips, convert, "song.mp4")
    assert failure.message == "the input has no video stream, only a cover picture"


def test_an_encrypted_file(clips: Clips, convert: Convert) -> None:
    how = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY]
    clips.make("protected.mp4", *picture(), *H264, *how)
    failure = refused(clips, convert, "protected.mp4")
    assert failure.code == "input_invalid"
    assert "is encrypted: give it without its protection" in failure.message


def test_an_archive(clips: Clips, convert: Convert) -> None:
    film = clips.make("film.mp4", *picture(), *H264)
    with zipfile.ZipFile(clips.directory / "film.zip", "w") as archive:
        archive.write(film, film.name)
    assert refused(clips, convert, "film.zip").code == "input_invalid"


def test_a_wrong_name_is_no_fault(clips: Clips, convert: Convert) -> None:
    film = clips.make("film.mkv", *picture(), *H264)
    assert output(convert(film.rename(clips.directory / "film.avi.txt")))
