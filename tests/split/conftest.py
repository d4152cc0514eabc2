"""What these tests share: clips, and one machine that makes all parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox
from tests.agent.conftest import sandbox, spawner, toolbox
from tests.agent.media.clips import Clips
from tests.split.pieces import Farm

__all__ = ["sandbox", "spawner", "toolbox"]


@pytest.fixture
def clips(toolbox: Toolbox, tmp_path: Path) -> Clips:
    directory = tmp_path / "clips"
    directory.mkdir()
    return Clips(toolbox.chosen["libx264"].path, directory)


@pytest.fixture
def farm(clips: Clips, toolbox: Toolbox, spawner: Spawner, sandbox: Sandbox, tmp_path: Path) -> Farm:
    return Farm(clips, toolbox, spawner, tmp_path / "work", sandbox)
