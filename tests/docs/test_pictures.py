"""Pictures in docs/ are small, and what they need to be made again is there."""

from __future__ import annotations

from tests.docs.markdown import ROOT


def test_no_picture_has_more_than_150_kb() -> None:
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 150_000] == []


def test_the_picture_of_a_report_is_a_png_and_its_script_writes_it_there() -> None:
    picture = ROOT / "docs/images/report.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert str(picture.relative_to(ROOT)) in (ROOT / "scripts/report_picture.py").read_text()
