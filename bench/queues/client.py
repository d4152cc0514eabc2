"""Submits jobs that do nothing and waits for the last one's result: `python -m bench.queues.client NAME`.

It says "ready"; for each line with a number it submits so many, one after the other, and answers with the
seconds from the first submit until the last result. One worker does one job at a time, in their order.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module


def main() -> None:
    """Go on until there are no more lines."""
    queue = import_module(f"bench.queues.{sys.argv[1]}_queue")
    queue.finish(queue.submit(0))
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for number in range(int(line)):
            last = queue.submit(number)
        queue.finish(last)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
