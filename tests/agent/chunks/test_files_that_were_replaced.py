"""No chunk is made of a file that is not the one that was divided."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.chunks.piece import piece
from agent.inputs.rules import InputFailedError
from tests.agent.chunks.conftest import MakeTask, divided, windows
from tests.agent.media.clips import H264, Clips, picture


def test_a_file_of_another_size_is_refused(clips: Clips, make_task: MakeTask) -> None:
    clip = clips.make("film.mp4", *picture(), *H264, "-g", "10")
    task = make_task(clip)
    found = divided(task, clip)
    window = windows(found)[-1]
    chunk = replace(task, assignment=replace(task.assignment, source=found.source))
    with piece(chunk, window) as cut:
        assert cut.packets > 0
    size = clip.stat().st_size
    with clip.open("ab") as file:
        file.write(b"\0" * 8)
    with pytest.raises(InputFailedError) as caught, piece(chunk, window):
        pass
    assert caught.value.code == "input_invalid"
    assert str(caught.value) == (
        f"the input is not the file that was divided: it has {size + 8} bytes on this node, and had {size}; "
        "if it was replaced, retry the job"
    )
    with piece(task, window) as cut:  # where nothing is said of it, it is believed
        assert cut.packets > 0
