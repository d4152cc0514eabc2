"""From the options to an agent at work: the trust, the registration."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import requests

from agent import hardware, identity, instance, joining
from agent.cache import Cache
from agent.checks import check_machine, check_roots, make_cache, make_work_dir
from agent.config import Config
from agent.delivery import deliver
from agent.energy import gpu, rapl
from agent.energy.account import Means
from agent.energy.cost import Prices
from agent.ffmpeg.discover import Toolbox, discover
from agent.ffmpeg.spawner import Spawner, SpawnError
from agent.files import Files
from agent.inputs.rules import InputRules
from agent.link import Link, RefusedError, retry
from agent.loop import Agent
from agent.metrics import Metrics, serve
from agent.outbox import Outbox
from agent.publish.rules import OutputRules
from agent.publish.unpublished import remove_unpublished
from agent.sandbox import SandboxError, detect
from agent.stop import Stop, StopError
from agent.workspace import absolute, remove_leftovers
from common.client import ApiError, MasterClient, Trust, establish_trust
from common.inputs import HostPattern
from common.model import Report
from common.tokens import TokenText
from common.trust import TrustError, explain
from common.version import VERSION

log = logging.getLogger(__name__)


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
        check_machine(config.master, allowed=options["allow_master_as_worker"], yes=options["yes"])
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
    make_work_dir(config.work_dir)
    check_roots(config.inputs, config.outputs)
    cache = make_cache(config)
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
