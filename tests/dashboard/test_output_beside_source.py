"""The output is played over its source, both in step, and the keyboard moves the wipe between them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it publishes no type information
import pytest
from playwright.sync_api import Page, expect

from common.version import PROTOCOL
from tests.api.corner import Corner
from tests.dashboard.conftest import Open
from tests.dashboard.looks import look
from tests.files.support import artifact, finish_with, store
from tests.masters import Client, wait_until


def film(path: Path, colour: str) -> bytes:
    """Half a minute of one colour: much more than is played."""
    picture = ["-f", "lavfi", "-i", f"color={colour}:size=160x90:rate=25:duration=30"]
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-v", "error", "-y", *picture, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path.read_bytes()


@pytest.fixture
def job_id(corner: Corner, client: Client, tmp_path: Path) -> str:
    source, output = film(tmp_path / "red.mp4", "red"), film(tmp_path / "blue.mp4", "blue")
    node = corner.register({"Ffrtmp-Protocol": str(PROTOCOL)})
    corner.submit(input=f"file:{store(client, source)['sha256']}", output="files")
    claimed = corner.poll(node["id"])["job"]
    finish_with(corner, claimed, artifact(store(client, output), "a b#1.mp4", "video", "video/mp4"))
    return str(claimed["id"])


def both(page: Page, condition: str) -> None:
    """Wait until it is so for each `video`. The page's policy forbids what Playwright's own wait does."""
    every = f"[...document.querySelectorAll('video')].every((video) => {condition})"
    wait_until(lambda: page.evaluate(every), condition, 30)


IN_STEP = """(() => {
  const [first, second] = [...document.querySelectorAll("video")];
  const play = !first.paused && !second.paused;
  return play && first.currentTime > 1 && Math.abs(first.currentTime - second.currentTime) < 0.05;
})()"""


COLOURS = """() => [...document.querySelectorAll("video")].map((video) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  canvas.drawImage(video, 0, 0, 1, 1);
  const [red, , blue] = canvas.getImageData(0, 0, 1, 1).data;
  return red > blue ? "red" : "blue";
})"""


def test_both_play_in_step_and_stop_together(visit: Open, job_id: str) -> None:
    page = visit(f"/ui/jobs/{job_id}")
    both(page, "video.readyState >= 2")
    assert page.evaluate(COLOURS) == ["red", "blue"]
    page.get_by_role("button", name="Play").click()
    # Once they are, they stay so: no moment has to be met.
    wait_until(lambda: page.evaluate(IN_STEP), "both play in step", 20)
    page.get_by_role("button", name="Pause").click()
    both(page, "video.paused && !video.seeking")
    first, second = page.evaluate("[...document.querySelectorAll('video')].map((video) => video.currentTime)")
    assert first == pytest.approx(second, abs=0.05)


def test_the_position_is_set_for_both(visit: Open, job_id: str) -> None:
    page = visit(f"/ui/jobs/{job_id}")
    both(page, "video.readyState >= 2")
    page.get_by_label("Position").fill("1")
    both(page, "Math.abs(video.currentTime - 1) < 0.05")
    expect(page.locator("[data-clock]")).to_have_text("0:01.00")


def test_the_wipe_is_moved_by_the_keyboard(visit: Open, job_id: str) -> None:
    page = visit(f"/ui/jobs/{job_id}")
    wipe = page.get_by_label("Wipe")
    wipe.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(wipe).to_have_value("47")
    clip = "getComputedStyle(document.querySelector('video.output')).clipPath"
    assert page.evaluate(clip) == "inset(0px 0px 0px 47%)"
    page.keyboard.press("End")
    assert page.evaluate(clip) == "inset(0px 0px 0px 100%)"


def test_without_script_each_has_its_own_controls(visit: Open, job_id: str) -> None:
    page = visit(f"/ui/jobs/{job_id}", java_script_enabled=False)
    expect(page.locator("video[controls]")).to_have_count(2)
    expect(page.get_by_label("Wipe")).to_be_hidden()


def test_the_file_can_be_downloaded(visit: Open, job_id: str) -> None:
    page = visit(f"/ui/jobs/{job_id}")
    with page.expect_download() as download:
        page.get_by_role("link", name="a b#1.mp4").click()
    assert download.value.path().read_bytes()[4:8] == b"ftyp"


def test_nothing_is_wrong_with_the_page(visit: Open, job_id: str) -> None:
    look(visit, f"/ui/jobs/{job_id}")
