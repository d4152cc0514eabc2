"""Only encoders that passed a real trial are offered, each with the first ffmpeg that can."""

from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox, candidates, discover, listed_encoders, trial_argv
from agent.ffmpeg.spawner import Spawner
from common.settings import CODECS


def script(path: Path, body: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def test_this_machine_can_encode_every_codec_of_the_catalogue(toolbox: Toolbox) -> None:
    assert {codec.encoder for codec in CODECS.values()} <= set(toolbox.encoders)
    assert toolbox.version
    ffmpeg = toolbox.ffmpeg_for("libx264")
    assert ffmpeg is not None
    assert ffmpeg.path.is_file()


def test_what_is_listed_but_fails_its_trial_is_not_offered_and_says_why(toolbox: Toolbox) -> None:
    assert not set(toolbox.failed) & set(toolbox.encoders)
    assert all(0 < len(why) <= 200 for why in toolbox.failed.values())
    assert toolbox.ffmpeg_for("h264_of_the_future") is None


def test_an_encoder_goes_to_the_first_ffmpeg_that_can(
    spawner: Spawner, tmp_path: Path, toolbox: Toolbox
) -> None:
    real = toolbox.ffmpeg_for("libx264")
    assert real is not None
    # It lists what the real one lists, but cannot do x265.
    first = script(
        tmp_path / "first",
        f'case "$*" in *libx265*) echo "[error] broken" >&2; exit 1;; esac; exec {real.path} "$@"',
    )
    box = discover(spawner, first)
    chosen = [box.ffmpeg_for(encoder) for encoder in ("libx264", "libx265")]
    assert [ffmpeg.path if ffmpeg else None for ffmpeg in chosen] == [first, real.path]
    assert "libx265" not in box.failed


def test_an_ffmpeg_that_does_not_run_is_left_out(spawner: Spawner, tmp_path: Path) -> None:
    broken = script(tmp_path / "broken", "exit 127")
    box = discover(spawner, broken)
    assert "127" in box.failed[str(broken)]
    assert box.encoders


def test_each_ffmpeg_is_looked_at_once_the_given_one_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = script(tmp_path / "a/ffmpeg", "exit 0")
    (tmp_path / "b").mkdir()
    (tmp_path / "b/ffmpeg").symlink_to(ours)
    other = script(tmp_path / "c/ffmpeg", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'b'}:{tmp_path / 'c'}")
    found = candidates(ours)
    assert found[0] == ours
    assert found.count(other) == 1
    assert tmp_path / "b/ffmpeg" not in found


def test_the_list_of_encoders_is_read_without_its_legend() -> None:
    text = " V..... = Video\n A....D aac   AAC\n V....D libx264   H.264\n V..... libsvtav1   AV1\n"
    assert listed_encoders(text) == {"libx264", "libsvtav1"}


def test_vaapi_is_told_which_gpu_to_use() -> None:
    argv = trial_argv("ffmpeg", "h264_vaapi")
    assert argv.index("-vaapi_device") < argv.index("-i")
    assert "format=nv12,hwupload" in argv
