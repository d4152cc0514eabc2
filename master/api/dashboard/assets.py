"""What the pages load: style, script and the libraries, each under a name that says what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

DIRECTORY = Path(__file__).parent / "assets"
_SUFFIXES = (".css", ".js", ".svg")


@cache
def files() -> Mapping[str, Path]:
    """All files by the name under which they are served: `style.3f2a9c1b7d.css`."""
    return {_name(path): path for path in sorted(DIRECTORY.rglob("*")) if path.suffix in _SUFFIXES}


@cache
def _names() -> Mapping[str, str]:
    return {path.relative_to(DIRECTORY).as_posix(): name for name, path in files().items()}


def _name(path: Path) -> str:
    return f"{path.stem}.{hashlib.sha256(path.read_bytes()).hexdigest()[:10]}{path.suffix}"


def asset_address(file: str) -> str:
    """Where the pages find a file of `assets/`, such as `vendor/htmx.min.js`."""
    return f"/ui/assets/{_names()[file]}"
