"""Makes docs/images/report.png: a report of invented numbers, as Chromium shows it.

Run it when the page's looks have changed: .venv/bin/python -m scripts.report_picture
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from master.operator.report.command import rendered
from master.operator.report.content import content
from master.operator.report.source import Records
from tests.report.invented import experiment

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/images/report.png"
WIDTH, HEIGHT = 1100, 1780
COLOURS = 64
"""Of a palette: enough for a page of text and lines, in a third of the bytes."""


def main() -> int:
    """Write the picture; 1 if there is no Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is missing: make test installs it.", file=sys.stderr)
        return 1
    clips, nodes = ("media:films/harbour.mkv",), ("worker-1", "worker-2")
    records = [
        {**record, "metrics": {**record["metrics"], "psnr_mean": None, "energy_net_joules": None}}
        for record in experiment(inputs=clips, nodes=nodes, repeats=3)
    ]
    found = Records(list(records), origin="https://master.example:8080")
    told = content(found, "Presets at 720p", datetime(2026, 5, 2, 8, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as name:
        page, shot = Path(name) / "report.html", Path(name) / "shot.png"
        page.write_text(rendered(told, "html"), encoding="utf-8")
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={shot}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        Image.open(shot).convert("RGB").quantize(COLOURS).save(TARGET, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
