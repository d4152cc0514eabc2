"""What an agent looks at before it starts: the machine, and the directories that it is given."""

from __future__ import annotations

import errno
import logging
import os
import sys
from pathlib import Path

import click

from agent.cache import Cache
from agent.config import Config
from agent.inputs.media import check_root
from agent.inputs.rules import InputRules
from agent.locality import is_this_machine
from agent.publish.rules import OutputRules
from agent.stop import StopError
from common.address import Address
from common.logs import tell
from common.reach import interface_addresses

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


def check_machine(master: Address, *, allowed: bool, yes: bool) -> None:
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


def make_work_dir(work_dir: Path) -> None:
    """Make the work directory; stop if it cannot be written."""
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        if not os.access(work_dir, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise StopError(
            f"cannot write the work directory {work_dir}: {error.strerror}; choose another with --work-dir"
        ) from error


def make_cache(config: Config) -> Cache:
    """Open the cache; stop if it cannot be written."""
    directory = config.cache_dir or config.state_dir / "cache"
    try:
        return Cache(directory, config.cache_size)
    except OSError as error:
        raise StopError(
            f"cannot write the cache {directory}: {error.strerror}; choose another with --cache-dir"
        ) from error


def check_roots(inputs: InputRules, outputs: OutputRules) -> None:
    """Stop unless what jobs may read and write is there."""
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
