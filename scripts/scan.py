"""Scans the TLS of a master of its own with testssl.sh, and the locked packages with pip-audit.

What is found and known is named with its reason; anything else makes the exit status 1. A scanner that
is not installed, or cannot reach its data, is said to be missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KNOWN = {
    "cert_revocation": "a master's CA signs for that master only; nodes pin it (docs/security.md)",
    "DNS_CAArecord": "is for public CAs",
    "HSTS": "would reach every port of the name, localhost included (docs/security.md)",
}
"""What testssl.sh says of every master, and why that stays."""
_HARMLESS = ("OK", "INFO", "DEBUG")
_START_SECONDS = 20.0
_SCAN_SECONDS = 600.0


def main() -> int:
    """Both scans; the exit status."""
    return max(scan_tls(), scan_packages())


def scan_tls() -> int:
    """1 if testssl.sh finds what is not known."""
    testssl = shutil.which("testssl")
    if testssl is None:
        print("TLS: not scanned, as testssl.sh is not installed (sudo apt-get install testssl.sh)")
        return 0
    with tempfile.TemporaryDirectory() as directory:
        state, port = Path(directory) / "state", "18443"
        program = "from master.cli import main; main(prog_name='master')"
        command = [sys.executable, "-c", program, "--port", port, "--state-dir", str(state)]
        master = subprocess.Popen([*command, "--host", "127.0.0.1"], cwd=ROOT, stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not (state / "tls" / "ca.pem").exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            time.sleep(1)
            findings = _testssl(testssl, Path(directory) / "found.json", state / "tls" / "ca.pem", port)
        finally:
            master.terminate()
            master.wait()
    unknown = 0
    for finding in findings:
        if finding["severity"] not in _HARMLESS:
            reason = KNOWN.get(finding["id"])
            unknown += reason is None
            print(f"TLS: {finding['severity']} {finding['id']}: {finding['finding']} ({reason or 'NEW'})")
    print(f"TLS: {len(findings)} checks, {unknown} new findings")
    return 1 if unknown or not findings else 0


def _testssl(program: str, report: Path, ca: Path, port: str) -> list[dict[str, str]]:
    flags = ["--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1"]
    subprocess.run(
        [program, *flags, "--add-ca", str(ca), "--jsonfile", str(report), f"localhost:{port}"],
        stdout=subprocess.DEVNULL,
        timeout=_SCAN_SECONDS,
        check=False,  # its status counts findings
    )
    found: list[dict[str, str]] = json.loads(report.read_text()) if report.exists() else []
    return found


def scan_packages() -> int:
    """1 if pip-audit knows of a fault in a locked package."""
    command = [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", "--no-deps", "--disable-pip"]
    run = subprocess.run(
        [*command, "-r", str(ROOT / "constraints.txt")], capture_output=True, text=True, check=False
    )
    if "No module named" in run.stderr:
        print("Packages: not scanned, as there is no pip-audit (.venv/bin/python -m pip install pip-audit)")
        return 0
    if "ConnectionError" in run.stderr or "Max retries" in run.stderr or "ServiceError" in run.stderr:
        print("Packages: not scanned, as pip-audit cannot reach its data from here")
        return 0
    print("Packages:", (run.stdout or run.stderr).strip())
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
