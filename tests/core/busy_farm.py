"""A farm on which anything is done in any order, also across crashes; for any store."""

from __future__ import annotations

import contextlib
import gzip
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from common.failures import KINDS
from common.history import History
from common.model import (
    Divisible,
    Failure,
    FarmState,
    Findings,
    Job,
    JobStatus,
    Node,
    Progress,
    Role,
    Stage,
    Token,
)
from common.problems import Problem
from common.schema import TokenSchema
from master.api.documents import archive_entry
from master.lifecycle import commands, twins
from master.lifecycle import tokens as token_rules
from master.service import Caller, JobView, jobs, nodes, queue, tokens, work
from master.service.farm import Farm
from master.service.retention import Retention
from master.store import snapshot
from tests.core.support import (
    AGENT,
    LADDER,
    OPERATOR,
    SOURCE,
    TARGET,
    FakeClock,
    claim,
    crash,
    crash_all,
    directory_in_memory,
    divisible,
    embedded,
    make_farm,
    register,
    report,
    submit,
)

PRIORITIES = st.sampled_from(["high", "medium", "low"])
CONFIDENCES = st.sampled_from(["auto", "auto", "auto", "high"])
LABELS = st.sampled_from([{}, {}, {"site": "a"}, {"site": "b"}])
PICK = st.integers(0, 7)
SPLITS = st.sampled_from([{"split": 2, "crf": 23}, {"split": 2, "bitrate": "1M"}])
"""In two chunks; of a bitrate each of them is looked at before."""
FATES = st.sampled_from(
    [
        "both go on",
        "the file is canceled",
        "the part is completed",
        "the part fails",
        "the twin is completed",
        "both fail",
        "the twin is given back",
    ]
)
"""Of a part that is run twice."""


def is_planned(job: Job) -> bool:
    """Whether a node has to look at the input before the job is divided."""
    return job.parent_id is None and bool({"ladder", "split"} & set(job.parameters))


class BusyFarm(RuleBasedStateMachine):
    """Submit, divide, claim, run again, finish, expire, cancel, archive, crash and replay in any order.

    What must hold meanwhile, who inherits from it says.

    `PICK` chooses among the nodes, jobs and claims there are, so that every rule can always
    run: with rules that wait for others, most runs would end before a job was claimed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._stack = contextlib.ExitStack()
        self.root = self._stack.enter_context(directory_in_memory())
        self.clock = FakeClock()
        self.farm: Farm = self.start()
        self.node_ids: list[str] = []
        self.job_ids: list[str] = []
        self.claims: list[JobView] = []
        self.final: dict[str, JobStatus] = {}
        self.leases_given: set[tuple[str, int]] = set()
        self._archived: dict[tuple[str, int, int], list[str]] = {}

    def start(self) -> Farm:
        return make_farm(
            self.root, self.clock, lease=60, heartbeat_timeout=90, max_attempts=3, retry_backoff=5
        )

    def records(self) -> dict[str, Job]:
        return dict(embedded(self.farm)._state.jobs)

    def node_records(self) -> list[Node]:
        return list(embedded(self.farm)._state.nodes.values())

    def token_records(self) -> list[Token]:
        return list(embedded(self.farm)._state.tokens.values())

    def farm_record(self) -> FarmState:
        return embedded(self.farm)._state.farm

    def listed_results(self) -> tuple[list[Job], int]:
        return embedded(self.farm)._state.results_page(None, 1000)

    def kept(self) -> tuple[Any, ...]:
        """All that must be as it was when the process has vanished and another one has begun."""
        records = self.records(), self.node_records(), self.token_records(), self.farm_record()
        return (*records, self.farm.store.history)

    def begin_anew(self, fold: bool) -> None:
        """The process vanishes without closing anything; what it left is read again. `fold`: and folded."""
        crash(self.farm.store)
        self.farm = self.start()
        if fold:
            snapshot.fold(self.root / "journal", embedded(self.farm)._journal.number - 1)
            crash(self.farm.store)
            self.farm = self.start()

    def archived(self) -> list[str]:
        """The ids of the archived jobs, read as anybody can."""
        return [
            job_id for path in sorted((self.root / "archive").glob("*.gz")) for job_id in self._ids_in(path)
        ]

    def _ids_in(self, path: Path) -> list[str]:
        """Of the jobs of a day. Such a file is only replaced as a whole: each of them is unpacked once."""
        found = path.stat()
        which = (path.name, found.st_ino, found.st_mtime_ns)
        if which not in self._archived:
            lines = gzip.decompress(path.read_bytes()).splitlines()
            self._archived[which] = [json.loads(line)["job"]["id"] for line in lines]
        return self._archived[which]

    def pick_node(self, pick: int) -> str:
        return self.node_ids[pick % len(self.node_ids)]

    def pick_job(self, pick: int) -> str:
        return self.job_ids[pick % len(self.job_ids)]

    @initialize()
    def two_nodes_and_two_jobs(self) -> None:
        for _ in range(2):
            self.register({}, 2)
            self.submit("medium", {}, "auto")

    @rule(labels=LABELS, slots=st.integers(1, 3))
    def register(self, labels: dict[str, str], slots: int) -> None:
        fields: dict[str, Any] = {"labels": labels, "max_concurrent_jobs": slots, "instance": "one"}
        self.node_ids.append(register(self.farm, caller=AGENT, media_roots=["films"], **fields))

    @rule(pick=PICK, instance=st.sampled_from(["one", "two"]))
    def register_again(self, pick: int, instance: str) -> None:
        node = nodes.get(self.farm, self.pick_node(pick)).node
        slots, labels = node.max_concurrent_jobs, dict(node.labels)
        restarted = replace(AGENT, replaces=node.instance)
        register(
            self.farm,
            caller=restarted,
            id=node.id,
            instance=instance,
            max_concurrent_jobs=slots,
            labels=labels,
            media_roots=["films"],
        )

    @rule(priority=PRIORITIES, labels=LABELS, confidence=CONFIDENCES)
    def submit(self, priority: str, labels: dict[str, str], confidence: str) -> None:
        if sum(not job.status.final for job in self.records().values()) < 4:  # or few get far
            wanted = {"labels": labels}
            job_id = submit(self.farm, priority=priority, confidence=confidence, constraints=wanted)
            self.job_ids.append(job_id)

    @rule(priority=PRIORITIES)
    def submit_a_ladder(self, priority: str) -> None:
        if sum(not job.status.final for job in self.records().values()) < 4:
            self.job_ids.append(submit(self.farm, priority=priority, parameters=LADDER))

    @rule(priority=PRIORITIES, confidence=CONFIDENCES)
    def submit_a_target(self, priority: str, confidence: str) -> None:
        if sum(not job.status.final for job in self.records().values()) < 4:
            wanted: dict[str, Any] = {"priority": priority, "confidence": confidence, "parameters": TARGET}
            self.job_ids.append(submit(self.farm, **wanted))

    @rule(priority=PRIORITIES, parameters=SPLITS)
    def submit_a_split(self, priority: str, parameters: dict[str, Any]) -> None:
        if sum(not job.status.final for job in self.records().values()) < 4:
            wanted: dict[str, Any] = {"priority": priority, "parameters": parameters}
            self.job_ids.append(submit(self.farm, input="media:films/a.mp4", **wanted))

    @rule(picks=st.lists(PICK, min_size=1, max_size=3), parameters=st.one_of(st.just({}), SPLITS))
    def submit_behind_others(self, picks: list[int], parameters: dict[str, Any]) -> None:
        """What depends on jobs, and perhaps is divided itself; refused if one of them failed or is gone."""
        names = list(dict.fromkeys(self.pick_job(pick) for pick in picks))
        wanted: dict[str, Any] = {"input": "media:films/a.mp4"} if parameters else {}
        if sum(not job.status.final for job in self.records().values()) < 8:
            with contextlib.suppress(Problem):
                self.job_ids.append(submit(self.farm, depends_on=names, parameters=parameters, **wanted))

    @rule(pick=PICK, command=st.sampled_from([commands.Cancel(), commands.PauseJob(), commands.ResumeJob()]))
    def change_one_of_a_family(self, pick: int, command: commands.JobCommand) -> None:
        """Before that, a node divides what waits for it: few families would else be met in the middle."""
        self.get_things_done(1)
        found = [job.id for job in self.records().values() if job.parts or job.parent_id is not None]
        for job_id in found[pick : pick + 1]:
            with contextlib.suppress(Problem):
                jobs.change(self.farm, OPERATOR, job_id, command)

    @rule(rounds=st.integers(1, 6))
    def get_things_done(self, rounds: int) -> None:
        """So that families come to their end as well: with three steps for each job, few would."""
        for _ in range(rounds):
            for place in range(len(self.node_ids)):
                self.heartbeat(place)
                self.claim(place)
                self.finish(0, None)

    @rule(pick=PICK)
    def claim(self, pick: int) -> None:
        view = claim(self.farm, self.pick_node(pick))
        if view is not None:
            assert view.job.lease is not None
            key = (view.job.id, view.job.lease.number)
            assert key not in self.leases_given, "an attempt number was given twice"
            self.leases_given.add(key)
            self.claims.insert(0, view)

    @rule(pick=PICK)
    def claim_again(self, pick: int) -> None:
        """Two rules claim, so that as much is claimed as is submitted."""
        self.claim(pick)

    @rule(pick=PICK)
    def progress(self, pick: int) -> None:
        for view in self.claims[pick : pick + 1]:
            lease = view.job.lease
            assert lease is not None
            with contextlib.suppress(Problem):
                work.progress(
                    self.farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id, Progress(frame=1), []
                )

    @rule(pick=PICK, code=st.sampled_from([None, *KINDS]), whole=st.sampled_from([False, False, True]))
    def finish(self, pick: int, code: str | None, whole: bool = False) -> None:
        """Also long after the lease was lost, and again after it was accepted.

        `whole`: a plan says that the file cannot be divided.
        """
        status = JobStatus.COMPLETED if code is None else JobStatus.FAILED
        error = None if code is None else Failure(code, "it went wrong")
        for view in self.claims[pick : pick + 1]:
            plans = view.job.stage is Stage.PLAN
            metrics = SOURCE if plans else {"frames": 300, "cpu_seconds": 1.0}
            said: dict[str, Any] = {"metrics": metrics, "error": error}
            if plans and "split" in view.job.parameters:
                found = Divisible("it has no end") if whole else divisible()
                said["findings"] = Findings(divisible=found)
            with contextlib.suppress(Problem):
                work.finish(self.farm, OPERATOR, report(view, status, **said), [])

    @rule(rounds=st.integers(3, 9), parameters=SPLITS, then=FATES)
    def run_a_slow_part_again(self, rounds: int, parameters: dict[str, Any], then: str) -> None:
        """One part takes very long, and all else is done in a second: so an idle node runs it once more.

        `then`: what becomes of both.
        """
        self.submit_a_split("high", parameters)
        for _ in range(rounds):
            self.clock.advance(1)
            held = [view for view in self.claims if self.is_current(view)]
            parts = [view for view in held if view.job.stage in twins.STAGES and view.job.twin_of is None]
            slow = parts[-1] if parts else None
            for view in held:
                if view is not slow:
                    self.finish(self.claims.index(view), None)
            if slow is not None and self.is_current(slow):
                self.says_that_it_takes_long(slow)
            for place in range(len(self.node_ids)):
                self.heartbeat(place)
                self.claim(place)
            twin_id = None if slow is None else twins.twin_id(slow.job.id)
            twin = next((view for view in self.claims if view.job.id == twin_id), None)
            if slow is not None and twin is not None:
                self.happens(then, slow, twin)
                return

    def happens(self, then: str, slow: JobView, twin: JobView) -> None:
        at, of_twin = self.claims.index(slow), self.claims.index(twin)
        match then:
            case "the file is canceled":
                with contextlib.suppress(Problem):
                    jobs.change(self.farm, OPERATOR, str(slow.job.parent_id), commands.Cancel())
            case "the part is completed":
                self.finish(at, None)
            case "the part fails":
                self.finish(at, "encoder_error")
            case "the twin is completed":
                self.finish(of_twin, None)
            case "both fail":
                self.finish(at, "encoder_error")
                self.finish(of_twin, "encoder_error")
            case "the twin is given back":
                self.hand_back(of_twin)

    def says_that_it_takes_long(self, view: JobView) -> None:
        lease = view.job.lease
        assert lease is not None
        how = Progress(percent=10.0, seconds_left=500.0)
        work.progress(self.farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id, how, [])

    def is_current(self, view: JobView) -> bool:
        """Whether the attempt that was given out then still runs."""
        known = self.records().get(view.job.id)
        return known is not None and known.lease is not None and known.lease == view.job.lease

    @rule(pick=PICK)
    def hand_back(self, pick: int) -> None:
        for view in self.claims[pick : pick + 1]:
            lease = view.job.lease
            assert lease is not None
            with contextlib.suppress(Problem):
                work.release(self.farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id)

    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        with contextlib.suppress(Problem):
            jobs.change(self.farm, OPERATOR, self.pick_job(pick), commands.Cancel())

    @rule(pick=PICK, command=st.sampled_from([commands.PauseJob(), commands.ResumeJob()]))
    def pause_or_resume(self, pick: int, command: commands.JobCommand) -> None:
        with contextlib.suppress(Problem):
            jobs.change(self.farm, OPERATOR, self.pick_job(pick), command)

    @rule(command=st.sampled_from([commands.PauseQueue(), commands.ResumeQueue(), commands.ResumeQueue()]))
    def pause_or_resume_the_queue(self, command: commands.PauseQueue | commands.ResumeQueue) -> None:
        queue.change(self.farm, OPERATOR, command)

    @rule(pick=PICK)
    def put_a_node_back(self, pick: int) -> None:
        nodes.change(self.farm, OPERATOR, self.pick_node(pick), commands.Resume())

    @rule(more=st.integers(-5, 5), start=st.sampled_from(["known", "lost"]))
    def hear_of_another_history(self, more: int, start: str) -> None:
        heard = History(
            max(0, self.farm.store.history + more), self.farm.start if start == "known" else start
        )
        queue.compare_histories(self.farm, replace(OPERATOR, heard=heard))
        assert self.farm_record().attempts_above >= (heard.events if start == "lost" else 0)

    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        with contextlib.suppress(Problem):
            self.job_ids.append(jobs.retry(self.farm, OPERATOR, self.pick_job(pick)).job.id)

    @rule(pick=PICK)
    def heartbeat(self, pick: int) -> None:
        nodes.heartbeat(self.farm, OPERATOR, self.pick_node(pick), None)

    @rule(pick=PICK, new=st.sampled_from(["a" * 43, "b" * 43]))
    def replace_a_credential(self, pick: int, new: str) -> None:
        with contextlib.suppress(Problem):
            nodes.replace_credential(self.farm, OPERATOR, self.pick_node(pick), new + str(pick))

    @rule(role=st.sampled_from(["join", "viewer"]))
    def make_a_token(self, role: str) -> None:
        tokens.create(self.farm, OPERATOR, TokenSchema().load({"role": role, "ttl": 60}))

    @rule(pick=PICK)
    def join_by_a_token(self, pick: int) -> None:
        for token in self.token_records():
            caller = Caller(Role.JOIN, token_id=token.id)
            with contextlib.suppress(Problem):
                self.node_ids.append(register(self.farm, caller=caller, credential=f"{pick:043}"))
            return

    @rule(pick=PICK)
    def revoke_a_token(self, pick: int) -> None:
        for token in self.token_records()[pick : pick + 1]:
            tokens.revoke(self.farm, OPERATOR, token.id)

    @rule()
    def forget_tokens(self) -> None:
        with patch.object(token_rules, "KEPT", timedelta(seconds=60)):
            tokens.forget_old(self.farm)

    @rule(pick=PICK)
    def revoke_node(self, pick: int) -> None:
        if len(self.node_ids) > 2:
            node_id = self.pick_node(pick)
            self.node_ids.remove(node_id)
            nodes.change(self.farm, OPERATOR, node_id, commands.Revoke())

    @rule(pick=PICK)
    def remove_node(self, pick: int) -> None:
        if len(self.node_ids) > 2:
            node_id = self.pick_node(pick)
            self.node_ids.remove(node_id)
            nodes.remove(self.farm, OPERATOR, node_id)

    @rule(seconds=st.sampled_from([1, 6, 50, 100]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds)
        work.reap(self.farm)

    @rule(halfway=st.booleans())
    def archive(self, halfway: bool) -> None:
        """All that is finished is old; `halfway`: the process vanishes before the memory let go of it."""
        stop = patch.object(Retention, "_forget", side_effect=InterruptedError)
        old = self.clock.now.wall + timedelta(seconds=1)
        with stop if halfway else contextlib.nullcontext(), contextlib.suppress(InterruptedError):
            Retention(self.farm, archive_entry).round(old, self.clock.now)
        if halfway:
            self.crash_and_replay(fold=False)

    @rule(fold=st.booleans())
    def crash_and_replay(self, fold: bool) -> None:
        before = self.kept()
        self.begin_anew(fold)
        assert self.kept() == before

    def teardown(self) -> None:
        crash_all()
        self._stack.close()
