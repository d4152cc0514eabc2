"""A chunk is the same bytes on a machine with one core as on one with several."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from agent.ffmpeg.spawner import Spawner
from common.model import Value
from tests.agent.media.clips import picture
from tests.parts import missing
from tests.split.chunks import file_of, run_chunk, sha
from tests.split.pieces import Farm, windows

CODECS: dict[str, dict[str, Value]] = {
    "h264": {"codec": "h264", "preset": "veryfast", "crf": 30},
    "h264 capped": {"codec": "h264", "preset": "veryfast", "crf": 30, "maxrate": "200k"},
    "h265": {"codec": "h265", "preset": "superfast", "crf": 32},
    "vp9": {"codec": "vp9", "preset": "8", "crf": 40},
    "av1": {"codec": "av1", "preset": "12", "crf": 50},
}


@pytest.mark.parametrize("name", CODECS)
def test_its_bytes_do_not_depend_on_the_number_of_cores(name: str, farm: Farm) -> None:
    cores = os.sched_getaffinity(0)
    if len(cores) < 2:
        missing("a second core")
    clip = farm.clips.make("clip.mp4", *picture("320x180", "30", 1), "-c:v", "libx264", "-g", "15")
    window = windows(clip, [10, 20], 4)[1]
    several = sha(file_of(farm, run_chunk(farm, clip, "several", window, CODECS[name])))
    os.sched_setaffinity(0, {min(cores)})  # what is started from now on has it, too
    try:
        with Spawner() as alone:
            report = run_chunk(replace(farm, spawner=alone), clip, "alone", window, CODECS[name])
    finally:
        os.sched_setaffinity(0, cores)
    assert sha(file_of(farm, report)) == several
