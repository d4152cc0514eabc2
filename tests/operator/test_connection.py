"""How `ffrtmp` finds a master and proves who it is; what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

from tests.masters import start_master
from tests.operator.conftest import Ffrtmp


def test_the_ca_is_pinned_at_first_use_and_said_so_once(ffrtmp: Ffrtmp) -> None:
    assert "Trusting the master's CA from now on: sha256:" in ffrtmp("nodes", "list").stderr
    assert ffrtmp("scenarios").stderr == ""


def test_no_master_there_is_one_clear_line(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("nodes", "list", FFRTMP_MASTER="https://localhost:1")
    assert done.returncode == 3
    assert done.stderr.startswith("Error: cannot reach the master at https://localhost:1: ")
    assert len(done.stderr.splitlines()) == 1


def test_a_bad_address_is_a_usage_error(ffrtmp: Ffrtmp) -> None:
    assert ffrtmp("nodes", "list", FFRTMP_MASTER="ftp://x").returncode == 2


def test_the_token_file_opens_a_master_that_requires_one(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", auth="required")
    try:
        ffrtmp = Ffrtmp(master.url, tmp_path)
        refused = ffrtmp("nodes", "list")
        assert refused.returncode == 4
        assert "This needs a credential" in refused.stderr
        token = str(master.state_dir / "operator.token")
        assert ffrtmp("--token-file", token, "nodes", "list").returncode == 0
    finally:
        master.stop()
