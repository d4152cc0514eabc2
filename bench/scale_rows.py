"""The measures of `bench/scale.py`, each in a process of its own: `python -m bench.scale_rows NAME ...`."""

from __future__ import annotations

import gc
import json
import resource
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any, cast

import psutil

from common.model import JobStatus, Load, Role
from common.schema import RegisterSchema, SubmitSchema
from master import collector
from master.api.documents import job_document
from master.lifecycle.events import JobSubmitted
from master.service import Caller, Farm, jobs, nodes, work
from master.service.farm import new_id
from master.store import journal, snapshot
from master.store.listings import listing_key
from master.store.memory import MemoryStore
from master.store.segments import number_of, segments
from master.submission import Key, job_from
from tests.core.support import AGENT, OPERATOR, FakeClock, embedded, make_farm, next_job

SEGMENT = 4 * 1024 * 1024
SITES = tuple({"site": f"site-{number}"} for number in range(6))
CODECS = ("720p-h264", "1080p30-h265", "1080p-h264")
OWNERS = tuple(f"studio-{number}" for number in range(10))
PRIORITIES = ("high", "medium", "low")
TOGETHER = 1000


def cpu() -> float:
    """Microseconds of this thread's CPU time."""
    return time.thread_time() * 1e6


def wanted(number: int, *, mixed: bool, own: bool) -> dict[str, Any]:
    """A job as clients ask for it; `own`: no other has the same parameters."""
    found: dict[str, Any] = {
        "scenario": CODECS[number % 3] if mixed else "1080p-h264",
        "input": f"media:films/season-{number % 40:02d}/episode-{number:07d}.mkv",
        "output": f"media:finished/season-{number % 40:02d}/episode-{number:07d}.mp4",
        "parameters": {"bitrate": "4M", "preset": "veryfast", "gop": 120},
    }
    if own:
        found["parameters"] = {**found["parameters"], "bitrate": f"{2000 + number % 999_983}k"}
    if mixed:
        found["priority"] = PRIORITIES[number // 7 % 3]
        found["constraints"] = {"labels": SITES[number % 6], "gpu": number % 12 < 6}
    return found


@cache
def _loaded(form: str) -> dict[str, Any]:
    return cast("dict[str, Any]", SubmitSchema().load(json.loads(form)))


def loaded(number: int, *, mixed: bool, own: bool = False) -> dict[str, Any]:
    """The same as the schema reads it. It is asked once for each kind: that is not what is measured."""
    fields = wanted(number, mixed=mixed, own=own)
    places = {name: fields.pop(name) for name in ("input", "output")}
    found = _loaded(json.dumps({**fields, "input": "media:films/a", "output": "media:finished/a"}))
    return {**found, **places, "parameters": dict(found["parameters"])}


def without_disk() -> None:
    """Nothing waits for the disk from now on: only what the processor does is measured."""
    journal._fdatasync = _nothing


def _nothing(fd: int) -> OSError | None:
    del fd
    return None


def farm_in(directory: Path, **settings: Any) -> Farm:
    """A farm in an empty directory."""
    return make_farm(directory, FakeClock(), SEGMENT, submit_rate=0, max_pending_jobs=10**8, **settings)


def fill(farm: Farm, count: int, *, mixed: bool = False) -> None:
    """Submit `count` jobs in batches; those of a mixed farm come from ten submitters in turn."""
    for begun in range(0, count, TOGETHER):
        batch = [loaded(n, mixed=mixed) for n in range(begun, min(count, begun + TOGETHER))]
        owner = OWNERS[begun // TOGETHER % len(OWNERS)] if mixed else None
        role = Role.OPERATOR if owner is None else Role.SUBMITTER
        caller = Caller(role, name=owner, request_id=str(uuid.uuid4()))
        jobs.submit_batch(farm, caller, batch)


def node(farm: Farm, number: int, **fields: Any) -> str:
    """Register a node that can do whatever its labels allow."""
    known = {
        "labels": SITES[number % 6],
        "has_gpu": True,
        "media_roots": ["films"],
        "output_roots": ["finished"],
    }
    loaded = RegisterSchema().load({"address": f"worker-{number}", "instance": "one", **known, **fields})
    return nodes.register(farm, AGENT, loaded).node.id


def memory(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """Bytes that the process grows by for each pending job, submitted one by one."""
    begun = {"plain": growing(directory, count, keyed=False), "keyed": growing(directory, count, keyed=True)}
    return {name: float(process.communicate()[0]) for name, process in begun.items()}


def growing(directory: Path, count: int, *, keyed: bool) -> subprocess.Popen[bytes]:
    """A process of its own: the memory of what came before is not given back. No time is measured there."""
    script = f"from bench.scale_rows import *; print(grow(Path({str(directory)!r}), {count}, {keyed}))"
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)


def grow(directory: Path, count: int, keyed: bool) -> float:
    """The same, in this process."""
    without_disk()
    target = directory / f"memory-{keyed}-{count}"
    farm = farm_in(target)
    submit_one(farm, 0, keyed=keyed)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for number in range(1, count + 1):
        submit_one(farm, number, keyed=keyed)
    gc.collect()
    after = psutil.Process().memory_info().rss
    shutil.rmtree(target)
    return (after - before) / count


def submit_one(farm: Farm, number: int, *, keyed: bool) -> None:
    """As POST /jobs does."""
    caller = Caller(Role.SUBMITTER, name="".join(["stu", "dio"]), request_id=str(uuid.uuid4()))
    key = Key(str(uuid.uuid4()), uuid.uuid4().hex * 2, "studio") if keyed else None
    jobs.submit(farm, caller, loaded(number, mixed=False, own=keyed), key)


def claims(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """Microseconds of a claim, of jobs of one kind and of many."""
    without_disk()
    found: dict[str, float] = {}
    for name in ("one", "mixed"):
        target = directory / f"claims-{name}-{count}"
        farm = farm_in(target)
        fill(farm, count, mixed=name == "mixed")
        collector.settle()
        node_ids = [node(farm, number, max_concurrent_jobs=1) for number in range(300)]
        caller = Caller(Role.OPERATOR, instance="one")
        found[name] = median(timed(partial(next_job, farm, caller, each, None, 0)) for each in node_ids)
        if name == "mixed":
            more = [node(farm, number) for number in range(300)]
            found["heads"] = median(timed(partial(_first, farm, each)) for each in more)
            asked = [loaded(n, mixed=True) for n in range(300)]
            found["submit"] = median(timed(partial(jobs.submit, farm, OPERATOR, each)) for each in asked)
        shutil.rmtree(target)
    return found


def _first(farm: Farm, node_id: str) -> object:
    with farm.store.transaction(farm.clock()) as tx:
        return next(iter(tx.candidates(farm.require_node(tx, node_id))), None)


def timed(verb: Callable[[], object]) -> float:
    """Microseconds of CPU time that `verb` takes; it has to answer something."""
    begun = cpu()
    answer = verb()
    taken = cpu() - begun
    if answer is None:
        raise RuntimeError("there was nothing to answer")
    return taken


def median(values: Iterator[float]) -> float:
    """Of all of them."""
    return statistics.median(values)


def pages(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """Microseconds of a page of 100 jobs, as documents."""
    without_disk()
    target = directory / f"pages-{count}"
    farm = farm_in(target)
    fill(farm, count, mixed=True)
    collector.settle()
    caller = Caller(Role.OPERATOR, instance="one")
    for number in range(200):
        next_job(farm, caller, node(farm, number, max_concurrent_jobs=1), None, 0)
    middle = jobs.page(farm, OPERATOR, JobStatus.PENDING, (0, count // 2), 1)[0][0].job
    own = Caller(Role.SUBMITTER, name=OWNERS[0])
    asked: dict[str, tuple[Caller, JobStatus | None, Any]] = {
        "first": (OPERATOR, None, None),
        "deep": (OPERATOR, None, listing_key(middle)),
        "status": (OPERATOR, JobStatus.RUNNING, None),
        "owner": (own, None, None),
    }
    found = {}
    for name, (who, status, after) in asked.items():
        found[name] = median(timed(partial(_page, farm, who, status, after)) for _ in range(60))
    shutil.rmtree(target)
    return found


def _page(farm: Farm, caller: Caller, status: JobStatus | None, after: Any) -> object:
    found, _ = jobs.page(farm, caller, status, after, 100)
    if not found:
        raise RuntimeError("the page is empty")
    return [job_document(view) for view in found]


def state(directory: Path, count: int) -> Path:
    """A state directory with so many pending jobs in its journal; made once."""
    target = directory / f"state-{count}"
    if not target.exists():
        farm = farm_in(target)
        one_by_one(farm, 0, count)
        farm.store.close()
    return target


def one_by_one(farm: Farm, begun: int, end: int) -> None:
    """Submit each in a transaction of its own, as most clients do; nothing but what is recorded is done."""
    for number in range(begun, end):
        fields, now = loaded(number, mixed=True), farm.clock()
        owner = OWNERS[number % len(OWNERS)]
        job = job_from(fields, None, new_id(), 3, now, owner, str(uuid.uuid4()))
        with farm.store.transaction(now) as tx:
            tx.record([JobSubmitted(replace(job, seq=tx.next_seq()), now.wall)])


def folded(directory: Path, count: int) -> Path:
    """The same with all of it in a snapshot; made once."""
    target = directory / f"folded-{count}"
    if not target.exists():
        shutil.copytree(state(directory, count), target)
        paths = segments(target / "journal")
        if snapshot.spawn_fold(target / "journal", number_of(paths[-1])).wait():
            raise RuntimeError("the fold failed")
    return target


def start_journal(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """Seconds until the state is read, from the journal."""
    without_disk()
    return opened(state(directory, count) / "journal", count)


def start_snapshot(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """The same from a snapshot."""
    return opened(folded(directory, count) / "journal", count)


def opened(target: Path, count: int) -> dict[str, float]:
    """In a child process, so that nothing is warm but the files."""
    script = f"from bench.scale_rows import *; open_state(Path({str(target)!r}), {count})"
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True)
    seconds, used, most, rss = map(float, done.stdout.split())
    return {"seconds": seconds, "cpu": used, "most": most, "rss": rss}


def open_state(target: Path, count: int) -> None:
    """The same in this process; prints what it took."""
    begun, used = time.monotonic(), time.process_time()
    store = MemoryStore(target, FakeClock()())
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(time.monotonic() - begun, time.process_time() - used, most, psutil.Process().memory_info().rss)
    if store._state.count() != count:
        raise RuntimeError("jobs are missing")
    store.close()


def fold(count: int, _nodes: int, directory: Path) -> dict[str, float]:
    """How long requests wait while a process of its own makes a snapshot, the disk included.

    There is one already, and an eighth as many jobs came since: then the master begins to make the next.
    """
    target = directory / f"fold-{count}"
    shutil.copytree(folded(directory, count), target)
    farm = farm_in(target)
    synced, journal._fdatasync = journal._fdatasync, _nothing
    one_by_one(farm, count, count + count // 8)
    farm.store.close()
    journal._fdatasync = synced
    farm = farm_in(target)
    collector.settle()
    node_id = node(farm, 0)
    idle = delays(farm, node_id, lambda: False, 5.0)
    closed = [
        path for path in segments(target / "journal") if number_of(path) < embedded(farm)._journal.number
    ]
    process = snapshot.spawn_fold(target / "journal", number_of(closed[-1]))
    watched = psutil.Process(process.pid)
    seen = {"cpu": 0.0, "memory": 0.0}

    def busy() -> bool:
        try:
            used = watched.cpu_times()
            seen["cpu"] = used.user + used.system
            seen["memory"] = max(seen["memory"], watched.memory_info().rss)
        except psutil.Error:
            pass
        return process.poll() is None

    meanwhile = delays(farm, node_id, busy, 0.0)
    if process.returncode:
        raise RuntimeError("the fold failed")
    farm.store.close()
    shutil.rmtree(target)
    return {
        "fold_cpu": seen["cpu"],
        "fold_memory": seen["memory"] / 1e6,
        "longest_idle": max(idle),
        "longest": max(meanwhile),
        "p999": sorted(meanwhile)[int(len(meanwhile) * 0.999)],
    }


def delays(farm: Farm, node_id: str, busy: Callable[[], bool], least: float) -> list[float]:
    """Milliseconds that each of many submits and heartbeats took, while `busy`, and for `least` seconds."""
    caller = Caller(Role.OPERATOR, instance="one")
    found, until, number = [], time.monotonic() + least, 0
    while True:
        for _ in range(20):
            number += 1
            begun = time.perf_counter()
            if number % 4:
                nodes.heartbeat(farm, caller, node_id, None, load=Load(0.5, 0.5))
            else:
                jobs.submit(farm, OPERATOR, loaded(number, mixed=True))
            found.append((time.perf_counter() - begun) * 1000)
            time.sleep(0.002)
        if time.monotonic() > until and not busy():
            return found


def many_nodes(count: int, number: int, directory: Path) -> dict[str, float]:
    """Microseconds of CPU time of what nodes do all the time, with so many of them."""
    del count
    from bench.scale_http import over_http

    without_disk()
    target = directory / f"nodes-{number}"
    farm = farm_in(target)
    node_ids = [node(farm, each) for each in range(number)]
    collector.settle()
    caller, load = Caller(Role.OPERATOR, instance="one"), Load(0.5, 0.5)
    some = node_ids[:1000]
    beat = partial(nodes.heartbeat, farm, caller, leases=None, load=load)
    asked = [loaded(n, mixed=True) for n in range(100)]
    found = {
        "heartbeat": median(timed(partial(beat, node_id)) for node_id in some),
        "poll": median(timed(partial(_poll, farm, caller, node_id)) for node_id in some),
        "reap": median(timed(partial(_reap, farm)) for _ in range(20)),
        "submit": median(timed(partial(jobs.submit, farm, OPERATOR, each)) for each in asked),
        "page": median(timed(partial(_page, farm, OPERATOR, None, None)) for _ in range(20)),
    }
    found["service_share"] = (number / 30 * (found["heartbeat"] + found["poll"]) + found["reap"]) / 1e6
    with farm.store.transaction(farm.clock()) as tx:
        found["lost"] = float(sum(each.lost for each in tx.nodes()))
    farm.store.close()
    found |= over_http(target, node_ids[:50])
    every = number / 30 * (found["http_heartbeat"] + found["http_poll"])
    found["http_share"] = (every + found["http_idle"]) / 1e6
    shutil.rmtree(target)
    return found


def _poll(farm: Farm, caller: Caller, node_id: str) -> bool:
    return next_job(farm, caller, node_id, None, 0) is None


def _reap(farm: Farm) -> bool:
    work.reap(farm)
    return True


MEASURES: dict[str, Callable[[int, int, Path], dict[str, float]]] = {
    "memory": memory,
    "claims": claims,
    "pages": pages,
    "start_journal": start_journal,
    "start_snapshot": start_snapshot,
    "fold": fold,
    "nodes": many_nodes,
}


def main() -> None:
    """One measure, as JSON in the last line."""
    name, count, number, directory = sys.argv[1:]
    print(json.dumps(MEASURES[name](int(count), int(number), Path(directory))))


if __name__ == "__main__":
    main()
