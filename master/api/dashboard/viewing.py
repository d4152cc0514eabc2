"""What a person can look at of a job's output, beside its source; and where not, why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common.inputs import stored_file

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Video:
    """A file that a browser can be given."""

    artifact: str | None
    """Its path among what the job made; None: it is a file of the file store, by its hash alone."""
    sha256: str
    media_type: str | None
    """None: unknown."""


@dataclass(frozen=True, slots=True)
class Viewing:
    """The output and its source; None with the reason why it cannot be shown."""

    output: Video | None
    output_reason: str = ""
    source: Video | None = None
    source_reason: str = ""


def viewing(
    job: Document, result: Document | None, is_stored: Callable[[str], bool], *, archived: bool
) -> Viewing:
    """What can be shown of `job`. `is_stored`: whether the file store has a hash, and the reader may see it.

    `archived`: the job has left the memory, so its artifacts have no addresses of their own.
    """
    output, why_not = _output(job, result, is_stored, archived)
    source, no_source = _source(job, is_stored)
    return Viewing(output, why_not, source, no_source)


def _output(
    job: Document, result: Document | None, is_stored: Callable[[str], bool], archived: bool
) -> tuple[Video | None, str]:
    if result is None:
        return None, "The output can be seen here when the job is completed."
    if job["status"] != "completed":
        return None, f"The job is {job['status']}: there is no output to see."
    made = list(result["artifacts"])
    if not made:
        return None, "The result lists no files."
    videos = [each for each in made if each["kind"] == "video"]
    if not videos:
        if any(each["kind"] == "playlist" for each in made):
            return None, (
                "The output is a stream in pieces, which not every browser plays. Open its playlist, "
                "among the files below, in a player that does."
            )
        return None, "The job made no video of one file."
    video = videos[0]
    sha256 = None if video["location"] is None else stored_file(video["location"])
    if sha256 is None:
        where = "on the node alone" if video["location"] is None else f"at {video['location']}"
        return None, f"The output is {where}. Submit with the output `files` to have it in the file store."
    if not is_stored(sha256):
        return None, "The output was in the file store, and is not any more (--keep-files)."
    return Video(None if archived else video["path"], sha256, video["media_type"]), ""


def _source(job: Document, is_stored: Callable[[str], bool]) -> tuple[Video | None, str]:
    if job["input"] is None:
        return None, "There is no source beside it: ffmpeg made a test picture."
    sha256 = stored_file(job["input"])
    if sha256 is None:
        return None, f"The source is not beside it: the master does not read {job['input']}."
    if not is_stored(sha256):
        return None, "The source was in the file store, and is not any more (--keep-files)."
    return Video(None, sha256, None), ""
