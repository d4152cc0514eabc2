"""One row, from the command line to the page: a real master, the same one on gthread, and a bare route."""

from __future__ import annotations

from pathlib import Path

from bench import document, kept
from bench.__main__ import main


def test_a_row_is_measured_beside_its_baselines_and_written_to_the_page(tmp_path: Path) -> None:
    assert main(["--quick", "--only", "master-health", "--into", str(tmp_path)]) == 0
    found = kept.read(tmp_path)["master-health"]
    assert found.error is None
    for taken in found.taken:
        assert taken.median, taken.name
        assert taken.more()["server's CPU, us"] > 0
        assert 0 < taken.more()["generator, cores"] < 1
    page = (tmp_path / document.PAGE).read_text()
    (first, second) = [line for line in page.splitlines() if line.startswith("| `master-health` |")]
    assert "requests/s" in first
    assert "the same application on gthread" in second
    assert "`python -m bench --quick --only master-health" in page
    assert (tmp_path / "images/bench-durable.svg").exists()
