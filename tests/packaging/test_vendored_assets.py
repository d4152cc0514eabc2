"""The libraries that the pages load are, byte by byte, what their lock file names, with their licences."""

from __future__ import annotations

import json

from scripts import assets
from tests.docs.markdown import ROOT
from tests.parts import missing


def test_they_are_what_npm_brings() -> None:
    if not assets.is_fetched():
        missing("the dashboard's libraries were not fetched (scripts/setup.sh --tests)")
    committed = {path.name: path.read_bytes() for path in assets.VENDOR.iterdir()}
    assert committed == {name: assets.fetched(name).read_bytes() for name in assets.FILES}, "run make assets"


def test_each_has_its_licence_and_is_in_the_notice() -> None:
    notice = (ROOT / "NOTICE.md").read_text()
    for name in json.loads((assets.DASHBOARD / "package.json").read_text())["dependencies"]:
        brought = [file for file, source in assets.FILES.items() if source.startswith(f"{name}/")]
        assert any(file.endswith("LICENSE") for file in brought), name
        assert f"`{name}`" in notice


def test_the_lock_names_no_host() -> None:
    assert "resolved" not in (assets.DASHBOARD / assets.LOCK).read_text()
