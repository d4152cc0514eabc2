"""`make install` puts everything in place and `make uninstall` takes it away, but for settings and state."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


class Staged:
    """An installation below a root of its own."""

    def __init__(self, checkout: Path, root: Path) -> None:
        self.checkout = checkout
        self.root = root
        (checkout / "bin").mkdir()
        for name in ("master", "agent", "ffrtmp"):
            (checkout / "bin" / name).write_text("#!/bin/sh\n")

    def run(self, what: str) -> str:
        command = ["/bin/sh", "scripts/install.sh", what]
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DESTDIR": str(self.root)}
        done = subprocess.run(command, cwd=self.checkout, env=env, capture_output=True, text=True, check=True)
        return done.stdout

    def files(self) -> set[str]:
        found = (path for path in self.root.rglob("*") if path.is_symlink() or path.is_file())
        return {f"/{path.relative_to(self.root)}" for path in found}


@pytest.fixture
def staged(checkout: Path, tmp_path: Path) -> Staged:
    return Staged(checkout, tmp_path / "root")


SETTINGS = {f"/etc/ffmpeg-rtmp/{name}.env" for name in ("agent", "agent-token", "master")}


def test_everything_is_put_in_its_place(staged: Staged) -> None:
    staged.run("install")
    assert staged.files() == SETTINGS | {
        "/etc/systemd/system/ffmpeg-agent.service",
        "/etc/systemd/system/ffmpeg-master.service",
        "/opt/ffmpeg-rtmp/LICENSE",
        "/opt/ffmpeg-rtmp/NOTICE.md",
        "/opt/ffmpeg-rtmp/bin/agent",
        "/opt/ffmpeg-rtmp/bin/ffrtmp",
        "/opt/ffmpeg-rtmp/bin/master",
        "/usr/local/bin/ffrtmp",
    }
    assert (staged.root / "opt/ffmpeg-rtmp/bin/agent").stat().st_mode & 0o777 == 0o755


def test_the_join_token_is_for_root_only(staged: Staged) -> None:
    staged.run("install")
    assert (staged.root / "etc/ffmpeg-rtmp/agent-token.env").stat().st_mode & 0o777 == 0o600


def test_changed_settings_survive_the_next_install(staged: Staged) -> None:
    staged.run("install")
    mine = staged.root / "etc/ffmpeg-rtmp/agent.env"
    mine.write_text("FFRTMP_MASTER=https://farm:8080\n")
    assert "Kept /etc/ffmpeg-rtmp/agent.env" in staged.run("install")
    assert mine.read_text() == "FFRTMP_MASTER=https://farm:8080\n"


def test_uninstall_keeps_state_and_settings_and_says_where(staged: Staged) -> None:
    staged.run("install")
    journal = staged.root / "var/lib/ffmpeg-rtmp/master/journal"
    journal.parent.mkdir(parents=True)
    journal.write_text("kept")
    said = staged.run("uninstall")
    assert staged.files() == SETTINGS | {"/var/lib/ffmpeg-rtmp/master/journal"}
    assert "/var/lib/ffmpeg-rtmp" in said
    assert "/etc/ffmpeg-rtmp" in said
