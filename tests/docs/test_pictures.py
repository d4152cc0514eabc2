"""Pictures in docs/ are small, and what they need to be made again is there."""

from __future__ import annotations

from tests.docs.markdown import ROOT


def test_no_picture_has_more_than_200_kb() -> None:
    pictures = list((ROOT / "docs/images").iterdir())
    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 200_000] == []


def test_pictures_of_pages_are_png_and_their_scripts_write_them_there() -> None:
    for name in ("report", "dashboard"):
        picture = ROOT / f"docs/images/{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG\r\n")
        assert str(picture.relative_to(ROOT)) in (ROOT / f"scripts/{name}_picture.py").read_text()
