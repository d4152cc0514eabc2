"""From the options to an agent at work: the checks, the trust, the registration."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import requests

from agent import hardware, identity, instance, joining
from agent.cache import Cache
from agent.config import Config
from agent.delivery import deliver
from agent.energy import gpu, rapl
from agent.energy.account import Means
from agent.energy.cost import Prices
from agent.ffmpeg.discover import Toolbox, discover
from agent.ffmpeg.spawner import Spawner, SpawnError
from agent.files import Files
from agent.inputs.media import check_root
from agent.inputs.rules import InputRules
from agent.link import Link, RefusedError, retry
from agent.locality import is_this_machine
from agent.loop import Agent
from agent.metrics import Metrics, serve
from agent.outbox import Outbox
from agent.publish.rules import OutputRules
from agent.publish.unpublished import remove_unpublished
from agent.sandbox import SandboxError, detect
from agent.workspace import absolute, remove_leftovers
from common.address import Address
from common.client import ApiError, MasterClient, Trust, establish_trust
from common.inputs import HostPattern
from common.logs import tell
from common.model import Report
from common.reach import interface_addresses
from common.tokens import TokenText
from common.trust import TrustError, explain
from common.version import VERSION

log = logging.getLogger(__name__)

_RULE = "━" * 60
WARNING = f"""\
⚠️  WARNING: Master node detected as worker!
{_RULE}
You are attempting to register the master node as a compute worker.
This configuration is intended for DEVELOPMENT/TESTING ONLY.

Risks:
  • Master and worker compete for CPU/memory resources
  • Heavy workloads may impact master API responsiveness
  • Not recommended for production environments

Recommended: Run workers on separate machines in production.
{_RULE}
"""


_LAST_WORD = 1.0
"""Seconds to end in good order after all that the second signal does."""


class StopError(Exception):
    """The agent cannot start; the message is one line and says what to do."""


class Stop:
    """The order to stop: the first SIGTERM or Ctrl-C drains, the second ends all at once."""

    def __init__(self) -> None:
        """Takes over the signals, from the main thread.

        The handlers do nothing: they could meet the main thread inside a lock that they need.
        The interpreter writes each signal to a pipe, and a thread acts on it.
        """
        self.event = threading.Event()
        self.at_once: Callable[[], None] = lambda: None
        """What the second signal does before `wait_for` waits no longer."""
        self._hurried: Future[None] = Future()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        threading.Thread(target=self._watch, args=(reader,), name="signals", daemon=True).start()

    def wait_for(self, work: Callable[[], None]) -> None:
        """Do `work` in a thread of its own, and leave it behind if the second signal comes: whatever it
        waits for then, such as a master that hangs, is not waited for. Raises what it raises.
        """
        done: Future[None] = Future()

        def do() -> None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - handed to the waiting thread, which raises it
                done.set_exception(error)
            else:
                done.set_result(None)

        threading.Thread(target=do, name="work", daemon=True).start()
        wait((done, self._hurried), return_when=FIRST_COMPLETED)
        wait((done,), timeout=_LAST_WORD)
        if done.done():
            done.result()

    def _watch(self, reader: int) -> None:
        hurried = False
        while os.read(reader, 1):
            if self.event.is_set() and not hurried:
                hurried = True
                self.at_once()
                self._hurried.set_result(None)
            self.event.set()


def run(options: Mapping[str, Any]) -> None:
    """Check, register, and work until told to stop. `StopError` says what prevents it.

    `MetricsError` if the metrics cannot be served where the options say.
    """
    state_dir = absolute(options["state_dir"])
    config = Config(
        master=options["master"],
        name=options["name"],
        state_dir=state_dir,
        work_dir=absolute(options["work_dir"] or state_dir / "work"),
        labels=options["label"],
        poll_interval=options["poll_interval"],
        heartbeat_interval=options["heartbeat_interval"],
        drain_timeout=options["drain_timeout"],
        keep_outputs=options["keep_outputs"],
        keep_outputs_size=options["keep_outputs_size"],
        cache_dir=options["cache_dir"],
        cache_size=options["cache_size"],
        inputs=InputRules(
            options["media_root"],
            options["input_host"],
            options["allow_private_inputs"],
            options["max_input_size"],
        ),
        outputs=OutputRules(
            options["output_root"], options["output_host"], allow_private=options["allow_private_outputs"]
        ),
        power_model=options["power_model"],
        prices=Prices(options["price_per_kwh"], options["price_per_hour"], options["currency"]),
    )
    metrics = Metrics()
    if options["metrics_port"] is not None:
        serve(metrics, options["metrics_address"], options["metrics_port"])
    if options["register"]:
        _check_machine(config.master, allowed=options["allow_master_as_worker"], yes=options["yes"])
    stop = Stop()
    try:
        held = identity.lock(config.state_dir)
    except identity.IdentityError as error:
        raise StopError(str(error)) from error
    try:
        stop.wait_for(lambda: _start(config, options, stop, metrics))
    except StopError as error:
        if identity.FILE not in str(error):
            raise
        raise StopError(f"{error} That file is {config.master_dir / identity.FILE}") from error
    except (identity.IdentityError, joining.JoinError, TrustError, SandboxError, SpawnError) as error:
        raise StopError(str(error)) from error
    finally:
        os.close(held)


def _check_machine(master: Address, *, allowed: bool, yes: bool) -> None:
    """Stop unless the operator wants the master's own machine to be a worker."""
    try:
        if not is_this_machine(master.host, interface_addresses()):
            return
    except OSError as error:
        raise StopError(
            f"the master's name {master.host!r} cannot be resolved: {error}; check --master"
        ) from error
    if not allowed:
        raise StopError(
            f"{master.host} is this machine: a master should not be its own worker in production, because "
            "both compete for CPU and memory. For development, use:\n"
            f"  ./bin/agent --register --master {master.url} --allow-master-as-worker"
        )
    tell(WARNING, logging.WARNING)
    if yes:
        tell("Do you want to continue? (yes/no): yes")
        return
    click.echo("Do you want to continue? (yes/no): ", nl=False)
    answer = sys.stdin.readline().strip().lower() if sys.stdin is not None else ""  # closed: a no
    if not answer:
        click.echo()  # nobody pressed Enter
    if answer not in ("yes", "y"):
        raise StopError("not registered; nothing was changed")


def _make_work_dir(work_dir: Path) -> None:
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(work_dir, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise StopError(
            f"cannot write the work directory {work_dir}: {error.strerror}; choose another with --work-dir"
        ) from error


def _make_cache(config: Config) -> Cache:
    directory = config.cache_dir or config.state_dir / "cache"
    try:
        return Cache(directory, config.cache_size)
    except OSError as error:
        raise StopError(
            f"cannot write the cache {directory}: {error.strerror}; choose another with --cache-dir"
        ) from error


def _trust(config: Config, ca_cert: Path | None, expected: str | None, stop: Stop) -> Trust | None:
    """The CA to trust, waiting for the master if it is not there yet; None if told to stop meanwhile.

    `expected` is the fingerprint that a join token names.
    """
    delay = 0.5
    while True:
        try:
            trusted = establish_trust(config.master, ca_cert, config.master_dir, expected)
        except OSError as error:
            log.warning("Cannot reach the master at %s: %s; trying again", config.master.url, error)
            if stop.event.wait(delay):
                return None
            delay = min(30.0, delay * 2)
        else:
            break
    if trusted.first_use:
        log.info("Trusting the master's CA at first use, from now on: %s", trusted.fingerprint)
        log.info("The master prints its own at start; they must be the same. Kept in %s", trusted.ca_file)
    return trusted


def _start(config: Config, options: Mapping[str, Any], stop: Stop, metrics: Metrics) -> None:
    """Find out who we are and whom to trust, and work."""
    who = identity.load(config.master_dir)
    if who is None and not options["register"]:
        raise StopError(
            f"this machine is not registered with {config.master.url}; start the agent with --register"
        )
    _make_work_dir(config.work_dir)
    _check_roots(config.inputs, config.outputs)
    cache = _make_cache(config)
    joined = who is not None and who.joined
    token = joining.read_token(options["join_token_file"], options["join_token"], needed=not joined)
    expected = None if token is None or joined else token.fingerprint
    trusted = _trust(config, options["ca_cert"], expected, stop)
    if trusted is not None:
        if joined and token is not None and token.fingerprint != trusted.fingerprint:
            token = None  # it is not needed, and of another master as far as we know
        who = who or identity.create(config.master_dir)
        client = MasterClient(config.master, trusted, who.credential, who.previous)
        _work(config, client, cache, who, token, options, stop, metrics)


def _check_roots(inputs: InputRules, outputs: OutputRules) -> None:
    for flag, roots in (("media", inputs.media_roots), ("output", outputs.roots)):
        for name, path in roots.items():
            try:
                check_root(path)
                if flag == "output" and not os.access(path, os.W_OK | os.X_OK):
                    raise PermissionError(errno.EACCES, "it cannot be written to by the agent's user")
            except OSError as error:
                raise StopError(
                    f"the {flag} root {name} ({path}) cannot be used: {error.strerror}"
                ) from error


def _work(
    config: Config,
    client: MasterClient,
    cache: Cache,
    who: identity.Identity,
    token: TokenText | None,
    options: Mapping[str, Any],
    stop: Stop,
    metrics: Metrics,
) -> None:
    """Send what an earlier agent left, look at the machine, register, and work."""
    outbox = Outbox(config.master_dir / "outbox")
    # Before this agent registers: by that the master ends what the earlier one had.
    _send_what_was_left(outbox, client, stop)
    if stop.event.is_set():
        return
    with Spawner() as spawner:
        sandbox = detect(spawner, options["sandbox"])
        log.log(logging.INFO if sandbox.is_whole else logging.WARNING, "%s", sandbox.describe())
        toolbox = discover(spawner, options["ffmpeg"], sandbox)
        named = options["ffmpeg"]
        if named is not None and (why := toolbox.failed.get(str(named.absolute()))):
            # In the sandbox it may lack files that it finds otherwise.
            log.warning("%s is not used: %s. What it needs must be below /usr or LD_LIBRARY_PATH", named, why)
        if not toolbox.encoders:
            raise StopError("no ffmpeg with a working encoder was found; name one with --ffmpeg")
        means = Means(rapl.find(), gpu.find(), config.power_model, config.prices)
        log.info("%s", means.describe())
        description = _describe(config, toolbox, options["max_concurrent_jobs"])
        description["energy_source"] = means.source
        run = instance.begin(config.master_dir)
        link = Link(client, who, run, description, token.secret if token else None)
        slots = description["max_concurrent_jobs"]
        files = Files(client, cache)
        agent = Agent(config, link, toolbox, spawner, outbox, slots, sandbox, means, files, metrics)
        stop.at_once = agent.stop_now
        with _clear_ends():
            retry(link.register, "register", stop.event, fatal=(requests.exceptions.SSLError,))
        if link.registered:
            instance.confirm(config.master_dir, run)
            joining.note(config.master_dir, link)
            # Not before: the master refuses a copy of an agent that has them under way.
            remove_unpublished(config.work_dir, who.node_id, config.outputs)
            remove_leftovers(config.work_dir, who.node_id)
        # Also when it is to stop already: it may be registered, and then says goodbye.
        why = agent.run(stop.event)
        if why is not None:
            raise StopError(why)


def _send_what_was_left(outbox: Outbox, client: MasterClient, stop: Stop) -> None:
    """The reports of finished jobs that the master has not answered yet."""

    def send(report: Report, log_lines: Sequence[str]) -> bool:
        fatal = (requests.exceptions.SSLError,)
        return retry(lambda: client.report(report, log_lines), "send results", stop.event, fatal) is not None

    for ran_as, report in outbox.left():
        if stop.event.is_set():
            return
        log.info("Job %s was finished before this start; sending its result", report.job_id)
        client.introduce(ran_as)
        with _clear_ends():
            deliver(report, [], outbox, send)


@contextmanager
def _clear_ends() -> Iterator[None]:
    """What a master cannot be talked into ends the agent, with the reason."""
    try:
        yield
    except (RefusedError, ApiError) as error:
        raise StopError(str(error)) from error
    except requests.exceptions.SSLError as error:
        raise StopError(explain(error)) from error


def _describe(config: Config, toolbox: Toolbox, slots: int | None) -> dict[str, Any]:
    """What is registered beside the identity."""
    machine = hardware.detect(toolbox)
    rule = f"{slots}, as --max-concurrent-jobs says"
    if slots is None:
        slots, rule = hardware.default_slots(machine.cpu_threads or 1, toolbox.encoders)
    log.info("ffmpeg %s, encoders that work here: %s", toolbox.version, ", ".join(toolbox.encoders))
    log.info("Slots: %s", rule)
    if toolbox.slowness is not None:
        log.info(
            "Slowness, by trial encodes, of which estimates of when jobs end make use: %.2f", toolbox.slowness
        )
    log.info("%s", config.inputs.describe())
    log.info("%s", config.outputs.describe())
    return {
        **asdict(machine),
        "encoders": list(toolbox.encoders),
        "address": config.name,
        "labels": {**hardware.default_labels(machine), **config.labels},
        "max_concurrent_jobs": slots,
        "media_roots": sorted(config.inputs.media_roots),
        "input_hosts": _reached(config.inputs.hosts, toolbox),
        "output_roots": sorted(config.outputs.roots),
        "output_hosts": _reached(config.outputs.hosts, toolbox),
        "agent_version": VERSION,
    }


def _reached(hosts: Iterable[HostPattern], toolbox: Toolbox) -> list[str]:
    """Those that this machine has the means to speak to."""
    return sorted(str(host) for host in hosts if host.origin.scheme != "srt" or toolbox.srt is not None)
