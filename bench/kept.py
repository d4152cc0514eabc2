"""The raw figures, kept beside the page that shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import cattrs

from bench.rig import Result

FILE = "performance.json"
_converter = cattrs.Converter()


def read(folder: Path) -> dict[str, Result]:
    """The newest result of each row, by its key; none if nothing was measured yet."""
    path = folder / FILE
    if not path.exists():
        return {}
    listed = json.loads(path.read_text())
    return {each["key"]: _converter.structure(each, Result) for each in listed}


def keep(folder: Path, result: Result) -> None:
    """Put a result in the place of the row's last one."""
    write(folder, {**read(folder), result.key: result})


def write(folder: Path, results: Mapping[str, Result]) -> None:
    """All results, sorted, so that changes can be read."""
    folder.mkdir(parents=True, exist_ok=True)
    listed = [asdict(results[key]) for key in sorted(results)]
    (folder / FILE).write_text(json.dumps(listed, indent=1) + "\n")
