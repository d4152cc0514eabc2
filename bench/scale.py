"""What a master costs with many jobs and many nodes, beside what it costs with few.

    python bench/scale.py            # 1,000 and 1,000,000 jobs, 10,000 nodes: about half an hour
    python bench/scale.py --quick    # 1,000 and 50,000 jobs, 1,000 nodes
    python bench/scale.py --only memory,claims --json raw.json

Each figure comes from a process of its own, over the real store and rules (`bench/scale_rows.py`). Times are
CPU times, but for starts and delays, which are wall times. Medians. The disk's own time is left out, unless
the row says so: `fdatasync` does nothing here, so that a million jobs are submitted in minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.scale_rows import MEASURES

Raw = dict[str, float]
FEW = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    measure: str
    """Which of `MEASURES` it comes from."""
    what: str
    figure: str
    """Its name in what that measure tells."""
    unit: str
    target: float | None = None
    """At most; None: it is only shown."""
    ratio: bool = False
    """The target is for what it is with many jobs, divided by what it is with few."""


ROWS = (
    Row("memory", "memory of a pending job", "plain", "bytes", 1024),
    Row("memory", "the same with an Idempotency-Key and parameters of its own", "keyed", "bytes", 1024),
    Row("claims", "a claim, jobs of one kind", "one", "us", 1.2, ratio=True),
    Row("claims", "a claim, 36 kinds, 3 priorities, 10 submitters", "mixed", "us", 1.2, ratio=True),
    Row("claims", "of that, finding the job", "heads", "us", 1.2, ratio=True),
    Row("claims", "submitting a job, 36 kinds", "submit", "us"),
    Row("pages", "GET /jobs, first page of 100", "first", "us", 1.2, ratio=True),
    Row("pages", "a page in the middle", "deep", "us", 1.2, ratio=True),
    Row("pages", "status=running, behind all pending ones", "status", "us", 1.2, ratio=True),
    Row("pages", "a submitter's own", "owner", "us", 1.2, ratio=True),
    Row("start_snapshot", "reading the state from a snapshot", "seconds", "s", 10),
    Row("start_snapshot", "the same, CPU time", "cpu", "s"),
    Row("start_journal", "reading the state from the journal alone", "seconds", "s", 10),
    Row("start_journal", "the same, CPU time", "cpu", "s"),
    Row("fold", "a fold of the journal, CPU time of its process", "fold_cpu", "s"),
    Row("fold", "memory of its process", "fold_memory", "MB"),
    Row("fold", "longest delay of a request meanwhile (disk included)", "longest", "ms", 10),
    Row("fold", "the same without a fold", "longest_idle", "ms"),
    Row("fold", "one in a thousand is delayed longer than, with a fold", "p999", "ms"),
)


def measured(name: str, jobs: int, nodes: int, directory: Path) -> Raw:
    """The figures of one measure, made in a process of its own."""
    command = [sys.executable, "-m", "bench.scale_rows", name, str(jobs), str(nodes), str(directory)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    found: Raw = json.loads(done.stdout.splitlines()[-1])
    return found


def machine() -> dict[str, Any]:
    """Where it was measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": os.getloadavg(),
    }


def lines(few: dict[str, Raw], many: dict[str, Raw], count: int) -> list[str]:
    """The table, as Markdown."""
    found = [f"| what | {FEW:,} jobs | {count:,} jobs | ratio | target |", "|---|---|---|---|---|"]
    for row in ROWS:
        if row.measure not in many:
            continue
        small, large = few[row.measure][row.figure], many[row.measure][row.figure]
        ratio = large / small if small else float("nan")
        target = "" if row.target is None else f"{row.target:g} {'x' if row.ratio else row.unit}"
        if row.target is not None:
            target += " ok" if (ratio if row.ratio else large) <= row.target else " NOT MET"
        found.append(
            f"| {row.what} | {small:.3g} {row.unit} | {large:.4g} {row.unit} | {ratio:.2f} | {target} |"
        )
    return found


def nodes_lines(raw: Raw, nodes: int) -> list[str]:
    """What so many nodes cost."""
    return [
        f"{nodes:,} nodes, a heartbeat and a long-poll of each every 30 s:",
        f"- of the service: {raw['heartbeat']:.0f} us of CPU a heartbeat, {raw['poll']:.0f} us a poll, "
        f"{raw['reap'] / 1000:.1f} ms for the reaper: {raw['service_share']:.1%} of a core",
        f"- of the master, with HTTP and TLS over one kept connection: {raw['http_heartbeat']:.0f} and "
        f"{raw['http_poll']:.0f} us: {raw['http_share']:.1%} of a core (target: below 100 %)",
        f"- meanwhile POST /jobs takes the service {raw['submit']:.0f} us, a page {raw['page']:.0f} us",
        f"- taken for dead: {raw['lost']:.0f}",
    ]


def main() -> None:
    """Measure, print, and write the raw figures if asked to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=1_000_000, help="how many many are")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true", help="50,000 jobs, and 1,000 nodes")
    parser.add_argument("--only", default=",".join(MEASURES), help="some of: %(default)s")
    parser.add_argument("--json", type=Path, help="where to write the raw figures")
    parser.add_argument("--directory", type=Path, help="where the states are made (default: a temporary one)")
    arguments = parser.parse_args()
    jobs, nodes = (50_000, 1_000) if arguments.quick else (arguments.jobs, arguments.nodes)
    few: dict[str, Raw] = {}
    many: dict[str, Raw] = {}
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        for name in arguments.only.split(","):
            measure: Callable[..., Raw] | None = MEASURES.get(name)
            if measure is None:
                parser.error(f"there is no measure {name!r}; there are {', '.join(MEASURES)}")
            if name != "nodes":
                few[name] = measured(name, FEW, nodes, Path(directory))
            many[name] = measured(name, jobs, nodes, Path(directory))
            print(name, json.dumps(few.get(name)), json.dumps(many[name]), file=sys.stderr, flush=True)
    where = machine()
    print("\n".join(lines(few, many, jobs)))
    if "nodes" in many:
        print("\n".join(["", *nodes_lines(many["nodes"], nodes)]))
    print(
        f"\n{where['cores']} cores of {where['cpu']}, Python {where['python']}, load {where['load'][0]:.1f}"
    )
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": where, "few": few, "many": many}, indent=1))


if __name__ == "__main__":
    main()
