"""What Schemathesis invents from the OpenAPI document, also in sequences, is answered as the document says.

All of its checks run: no 5xx, no status, media type, header or document that is not described, nothing
accepted that breaks its schema and nothing refused that fits, no route open without a credential, nothing
found that was deleted.
FFRTMP_TEST_SCHEMATHESIS=600 gives it that many seconds, with a seed of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.masters import ROOT, Master, start_master

SCHEMATHESIS = [sys.executable, "-m", "schemathesis.cli"]
SECONDS = os.environ.get("FFRTMP_TEST_SCHEMATHESIS")
PATIENCE = 600 + 2 * int(SECONDS or 0)


@pytest.fixture
def closed_master(tmp_path: Path) -> Iterator[Master]:
    """A master without a local door: there, a request without a credential would be the operator's."""
    running = start_master(tmp_path / "state", auth="required", log_level="warning")
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


def config(master: Master, home: Path) -> Path:
    """Schemathesis's settings, in a file that nobody else can read: the token is in it."""
    path = home / "schemathesis.toml"
    path.touch(mode=0o600)
    path.write_text(f"""
        hooks = "{ROOT / "tests/api/invented.py"}"
        tls-verify = "{master.ca}"
        headers = {{ Authorization = "Bearer {master.token}" }}
        request-timeout = 20
        warnings = false

        [generation]
        database = "none"
        # NUL is refused wherever it comes (test_json_corpus.py); headers that nobody knows are ignored.
        allow-x00 = false
        allow-extra-parameters = false

        [checks]
        # 413: what does not fit into the file store. 429: very many uploads that were never gone on with.
        # 422: what was asked for contradicts what was asked for before (`key_reused`, `result_mismatch`).
        positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "413", "422", "429"]
        # GET /jobs/batch is a job that is called batch: the address has more methods than POST.
        allow_header_conformance.enabled = false
    """)
    return path


@pytest.mark.timeout(PATIENCE)
def test_what_schemathesis_invents_is_answered_as_described(closed_master: Master, tmp_path: Path) -> None:
    amount = ["--max-time", SECONDS] if SECONDS else ["--seed", "1", "--generation-deterministic", "-n", "8"]
    flags = ["--continue-on-failure", "--no-color", *amount]
    settings = ["--config-file", str(config(closed_master, tmp_path))]
    run = subprocess.run(
        [*SCHEMATHESIS, *settings, "run", f"{closed_master.url}/openapi.json", *flags],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    sys.stdout.write(run.stdout)  # how much was tried: pytest -s shows it
    assert run.returncode == 0, run.stdout[-20_000:] + run.stderr
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in run.stdout
