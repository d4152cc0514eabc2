"""Measures the rows of docs/performance.md, each side by side with its baseline, and writes that page.

    python -m bench [--quick] [--only KEY …] [--into DIRECTORY] [--write | --list]

Figures that are not measured again stay; the page says of each when and how it was measured.
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType
from typing import NoReturn

from bench import document, kept, plots
from bench.rig import Row
from bench.running import ROOT, measure
from bench.sections import every_row


def arguments(argv: list[str]) -> argparse.Namespace:
    """What is asked for; SystemExit 2 if it makes no sense."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few minutes for all rows: to see that they work"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="KEY", help="these rows; `serving-` is all that begin so"
    )
    parser.add_argument("--into", type=Path, default=ROOT / "docs", help="where the page is (default: docs)")
    parser.add_argument("--write", action="store_true", help="measure nothing; write the page anew")
    parser.add_argument("--list", action="store_true", help="measure nothing; print the rows")
    asked = parser.parse_args(argv)
    known = [row.key for row in every_row(asked.quick)]
    for wanted in asked.only or ():
        if not any(chosen(key, wanted) for key in known):
            parser.error(f"there is no row {wanted}; --list prints all")
    return asked


def chosen(key: str, wanted: str) -> bool:
    """Whether a word of `--only` means this row."""
    return key.startswith(wanted) if wanted.endswith("-") else key == wanted


def main(argv: list[str]) -> int:
    """Measure and write; 1 if a row was given up."""
    asked = arguments(argv)
    rows = every_row(asked.quick)
    if asked.list:
        for row in rows:
            print(f"{row.key:32} {row.title}")
        return 0
    wanted = [row for row in rows if not asked.only or any(chosen(row.key, word) for word in asked.only)]
    command = shlex.join(["python", "-m", "bench", *argv])
    failed = [] if asked.write else [row.key for row in wanted if not take(row, asked, command)]
    write(asked.into)
    if failed:
        print(f"given up: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def take(row: Row, asked: argparse.Namespace, command: str) -> bool:
    """Measure a row and keep what came of it; whether all went well."""
    print(f"{row.key}: {row.title}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-bench-", ignore_cleanup_errors=True) as folder:
        result = measure(row, asked.quick, Path(folder), command)
    if result.error is not None:
        print(f"    given up: {result.error}", file=sys.stderr)
    kept.keep(asked.into, result)
    return result.error is None


def write(into: Path) -> None:
    """The page and its plots."""
    results = kept.read(into)
    plots.draw(results, into / "images")
    (into / document.PAGE).write_text(document.written(results, plots.pictures(results)))
    print(f"written: {into / document.PAGE}", file=sys.stderr)


def _ended(number: int, _frame: FrameType | None) -> NoReturn:
    """What was started is ended, too."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _ended)
    signal.signal(signal.SIGINT, _ended)
    sys.exit(main(sys.argv[1:]))
