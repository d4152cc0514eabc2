"""A file is measured by a process of its own, whose crash, silence or lies harm nobody else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import agent.probe
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.probe import probe, probe_open
from agent.prober import ProbeError
from agent.sandbox import Sandbox
from common.source import MOST_TRACKS
from tests.agent.conftest import Encode, measured

SAY = "import os, sys; say = lambda text: sys.stderr.write(text + '\\n'); "
WHOLE = (
    '{"width": 16, "height": 16, "frame_rate": %s, "codec": "h264", "pixel_format": null, "frames": 1, '
    '"duration": 1.0, "bitrate": null, "size": 1, "audio_codec": null, "audio_duration": null, "end": 1.0, '
    '"missing": null}'
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "output.mp4"
    path.write_bytes(b"no video" * 100)
    return path


def test_it_says_what_the_file_is(spawner: Spawner, reading: Sandbox, encode: Encode) -> None:
    output = Path(str(encode("480p-h264", {"duration": 1}).metrics["output_path"]))
    assert probe(output, spawner, reading) == measured(output)


def test_what_is_no_video_is_said_to_be_none(spawner: Spawner, reading: Sandbox, file: Path) -> None:
    with pytest.raises(ProbeError, match=r"output\.mp4 cannot be read as video"):
        probe(file, spawner, reading)


def test_a_file_that_is_not_there_is_told(spawner: Spawner, reading: Sandbox, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        probe(tmp_path / "nothing", spawner, reading)


def test_one_that_hangs_is_ended(
    spawner: Spawner, reading: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.probe, "_PROGRAM", "import signal; signal.pause()")
    monkeypatch.setattr(agent.probe, "_PATIENCE", 0.5)
    with pytest.raises(
        ProbeError, match=r"output\.mp4 could not be measured: it took too much \(time_limit\)"
    ):
        probe(file, spawner, reading)


def test_an_abort_ends_it(
    spawner: Spawner, reading: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent.probe, "_PROGRAM", "import signal; signal.pause()")
    abort = threading.Event()
    abort.set()
    with file.open("rb") as opened, pytest.raises(ProbeError, match="aborted"):
        probe_open(opened.fileno(), file.name, spawner, reading, abort)


def test_only_a_regular_file_is_opened(spawner: Spawner, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")  # nobody ever writes to it
    with pytest.raises(ProbeError, match=r"pipe\.mp4 is no regular file"):
        probe(tmp_path / "pipe.mp4", spawner)
    (tmp_path / "link.mp4").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic links"):
        probe(tmp_path / "link.mp4", spawner)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        pytest.param("import ctypes; ctypes.string_at(0)", "signal 11", id="crashes"),
        pytest.param("raise SystemExit(3)", "exit code 3: it said nothing", id="fails"),
        pytest.param("x = [b'x' * 10_000_000 for _ in range(1000)]", "memory_limit", id="fills the memory"),
        pytest.param("open('new', 'w').write('x')", "exit code", id="writes"),
        pytest.param(SAY + "say('nonsense')", "the answer was 'nonsense'", id="talks nonsense"),
        pytest.param(SAY + "say('[' * 900)", "the answer was", id="nests deeply"),
        pytest.param(SAY + "say('[]')", "the answer was", id="answers another kind"),
        pytest.param(SAY + "say('{\"width\": 1}')", "the answer was", id="answers half"),
        pytest.param(
            SAY + f"say({WHOLE % 'NaN'!r}.replace('1.0', 'NaN'))", "the answer was", id="answers NaN"
        ),
        pytest.param(SAY + f"say({WHOLE % '[]'!r})", "the answer was", id="answers a list for a number"),
        pytest.param(SAY + 'say(\'{"error": "it is bad"}\')', "it is bad", id="says what is wrong"),
    ],
)
def test_one_that_fails_or_lies_is_a_file_that_cannot_be_used(
    spawner: Spawner, reading: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch, program: str, words: str
) -> None:
    monkeypatch.setattr(agent.probe, "_PROGRAM", program)
    with pytest.raises(ProbeError) as caught:
        probe(file, spawner, reading)
    assert words in str(caught.value)


def test_it_gets_no_secret_of_the_agents_environment(
    spawner: Spawner, reading: Sandbox, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFRTMP_JOIN_TOKEN", "secret")
    monkeypatch.setattr(agent.probe, "_PROGRAM", f"{SAY}say(' '.join(sorted(os.environ)))")
    names = "HOME LC_ALL PATH( PWD)?"  # the sandbox adds the last
    with pytest.raises(ProbeError, match=f"the answer was '{names}'"):
        probe(file, spawner, reading)


def test_a_flood_of_answers_is_cut(spawner: Spawner, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flood = f"for _ in range(10_000): say('x' * 999)\nsay({WHOLE % '25.0'!r})"
    monkeypatch.setattr(agent.probe, "_PROGRAM", f"{SAY}\n{flood}")
    assert probe(file, spawner).frame_rate == 25.0


def test_an_answer_that_is_too_long_for_a_line_is_put_together(
    spawner: Spawner, reading: Sandbox, encode: Encode, toolbox: Toolbox
) -> None:
    output = Path(str(encode("480p-h264", {"duration": 1}).metrics["output_path"]))
    many = output.with_name("many.mkv")
    tones = [word for _ in range(40) for word in ("-map", "1")]
    options = ["-f", "lavfi", "-i", "sine=duration=0.1", "-map", "0", *tones, "-c:v", "copy"]
    options += ["-c:a", "pcm_s16le", "-metadata:s:a", "language=<script>"]
    ffmpeg = str(toolbox.chosen["libx264"].path)
    subprocess.run([ffmpeg, "-v", "error", "-i", str(output), *options, str(many)], check=True)
    found = probe(many, spawner, reading)
    assert len(found.audio) == MOST_TRACKS  # of 40
    assert {track.language for track in found.audio} == {None}  # no language has that name
    assert found == measured(many)


def test_the_agent_itself_never_loads_libav() -> None:
    look = "import sys, agent.cli, agent.start, agent.probe; print('av' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
