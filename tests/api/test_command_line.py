"""The master's command line: what cannot be is said in one clear line, with exit status 2 or 1."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509

from common.trust import fingerprint
from master.store.segments import read_segment, segments
from tests.api.corner import Corner
from tests.masters import MASTER, ROOT, Master, free_port, run_master, start_master

FLAGS = [
    "--port",
    "--host",
    "--state-dir",
    "--tls-cert",
    "--tls-key",
    "--auth",
    "--lease",
    "--heartbeat-timeout",
    "--max-attempts",
    "--threads",
    "--max-connections-per-address",
    "--log-level",
]


def refuses(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a master says why it does not start."""
    assert ended.returncode == 1, ended.stderr
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("master: ")
    return lines[0]


def test_help_names_every_flag(tmp_path: Path) -> None:
    ended = run_master("--help")
    assert ended.returncode == 0
    for flag in FLAGS:
        assert f"  {flag} " in ended.stdout


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (["--colour"], "--colour"),
        (["--port", "0"], "--port"),
        (["--port", "65536"], "--port"),
        (["--port", "http"], "--port"),
        (["--lease", "soon"], "--lease"),
        (["--lease", "-5s"], "--lease"),
        (["--heartbeat-timeout", "0s"], "--heartbeat-timeout"),
        (["--max-attempts", "0"], "--max-attempts"),
        (["--threads", "1"], "--threads"),
        (["--auth", "off"], "--auth"),
        (["--log-level", "loud"], "--log-level"),
        (["--tls-cert", "cert.pem"], "--tls-key"),
        (["--tls-key", "key.pem"], "--tls-cert"),
        (["surprise"], "surprise"),
    ],
)
def test_a_flag_that_makes_no_sense_is_named_with_exit_status_2(
    tmp_path: Path, flags: list[str], named: str
) -> None:
    ended = run_master(*flags, FFRTMP_STATE_DIR=str(tmp_path / "state"))
    assert ended.returncode == 2
    assert named in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "state").exists()


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refuses(run_master(f"--port={port}", "--host=127.0.0.1", f"--state-dir={tmp_path}"))
    assert f"port {port} is in use" in line


def test_a_state_directory_that_another_master_uses_is_one_line(master: Master) -> None:
    line = refuses(run_master(f"--port={free_port()}", f"--state-dir={master.state_dir}"))
    assert f"{master.state_dir} is in use by another master" in line


def test_a_file_in_the_place_of_the_state_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    ended = run_master(f"--port={free_port()}", f"--state-dir={tmp_path / 'state'}")
    assert ended.returncode == 2
    assert "--state-dir" in ended.stderr.splitlines()[-1]


def test_a_state_directory_below_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    line = refuses(run_master(f"--port={free_port()}", f"--state-dir={tmp_path / 'file' / 'state'}"))
    assert "cannot write the state directory" in line


def test_a_state_directory_that_may_not_be_written_is_one_line(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    # Root may write anywhere, so it becomes nobody, once all of the program is loaded.
    become_nobody = "os.setgroups([]); os.setgid(65534); os.setuid(65534)" if os.geteuid() == 0 else "pass"
    program = f"import os, master.cli, master.runtime; {become_nobody}; master.cli.main(prog_name='master')"
    ended = subprocess.run(
        [sys.executable, "-c", program, f"--port={free_port()}", f"--state-dir={locked / 'state'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    line = refuses(ended)
    assert "cannot write the state directory" in line
    assert "--state-dir" in line


def test_a_damaged_journal_is_one_line_that_names_the_offset(tmp_path: Path) -> None:
    state_dir = tmp_path / "state"
    master = start_master(state_dir)
    with master.client() as client:
        for _ in range(3):
            Corner(client).submit()
    assert master.stop() == 0
    segment = segments(state_dir / "journal")[0]
    offset = [at for at, _ in read_segment(segment, last=False).records][1]
    damaged = bytearray(segment.read_bytes())
    damaged[offset + 40] ^= 1
    segment.write_bytes(damaged)
    line = refuses(run_master(f"--port={free_port()}", f"--state-dir={state_dir}"))
    assert f"the journal is damaged at offset {offset} of {segment}" in line
    assert segment.read_bytes() == damaged


def test_certificates_that_are_none_are_one_line(tmp_path: Path) -> None:
    files = [tmp_path / "cert.pem", tmp_path / "key.pem"]
    for file in files:
        file.write_text("hello\n")
    flags = [f"--tls-cert={files[0]}", f"--tls-key={files[1]}", f"--state-dir={tmp_path / 'state'}"]
    assert str(files[0]) in refuses(run_master(f"--port={free_port()}", *flags))


def test_the_environment_sets_what_no_flag_sets(tmp_path: Path) -> None:
    port = free_port()
    environment = {
        "FFRTMP_PORT": str(port),
        "FFRTMP_STATE_DIR": str(tmp_path / "state"),
        "FFRTMP_MAX_ATTEMPTS": "7",
        "FFRTMP_LEASE": "1m30s",
    }
    master = Master(tmp_path / "state", port, ["--max-attempts=5"], environment).ready()
    try:
        with master.client() as client:
            corner = Corner(client)
            assert corner.submit()["max_attempts"] == 5
            assert corner.register()["lease"] == 90
    finally:
        assert master.stop() == 0


def test_the_guides_banner_is_printed(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", log_level="warning")
    assert master.stop() == 0
    assert master.log.read_text().splitlines() == [
        "Starting FFmpeg RTMP Distributed Master Node",
        f"Port: {master.port}",
        f"Master node listening on :{master.port}",
        "API endpoints:",
        "  POST   /nodes/register",
        "  GET    /nodes",
        "  POST   /nodes/{id}/heartbeat",
        "  POST   /jobs",
        "  GET    /jobs",
        "  GET    /jobs/next?node_id=<id>",
        "  POST   /results",
        "  GET    /health",
    ]


def test_the_cas_fingerprint_is_told_at_the_start(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state")
    assert master.stop() == 0
    ca = x509.load_pem_x509_certificate(master.ca.read_bytes())
    assert f"CA fingerprint: {fingerprint(ca)}" in master.log.read_text()


def test_the_version_is_told() -> None:
    ended = run_master("--version")
    assert ended.returncode == 0
    assert ended.stdout.startswith("master, version ")
    assert MASTER[0] == sys.executable
