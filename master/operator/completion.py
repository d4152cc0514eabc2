"""Shell completion: click's own scripts, and words that the master knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from master.operator.contexts import config_file, load
from master.operator.ids import SHORTEST
from master.operator.program import COMPLETE_VARIABLE, NAME

if TYPE_CHECKING:
    from common.client import MasterClient

SHELLS = ("bash", "zsh", "fish")
PATIENCE = 1.5
"""Seconds that a shell waits for the master; then it completes nothing."""
_MOST = 50
"""Words that are offered."""

Connect = Callable[[click.Context], "MasterClient | None"]
Words = Iterator[CompletionItem]


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what a shell needs to complete commands, scenarios, and ids of jobs and nodes.

    For bash: echo 'eval "$(ffrtmp completion bash)"' >> ~/.bashrc
    """
    found = get_completion_class(shell)
    if found is None:  # click has those that we name
        raise click.ClickException(f"nothing is known of {shell}")
    click.echo(found(context.find_root().command, {}, NAME, COMPLETE_VARIABLE).source())


class Known(click.types.StringParamType):
    """A text that may be completed by what the master, or the config file, knows."""

    def __init__(self, words: Callable[[MasterClient, str], Words], connect: Connect) -> None:
        """`connect` answers None, or raises, where nothing can be asked."""
        self._words = words
        self._connect = connect

    def shell_complete(
        self,
        ctx: click.Context,
        param: click.Parameter,  # noqa: ARG002 - click's hook
        incomplete: str,
    ) -> list[CompletionItem]:
        """Up to some words; none after a short while: a prompt that hangs is worse."""
        found: list[CompletionItem] = []

        def ask() -> None:
            # Whatever goes wrong, a prompt is no place to say so.
            with suppress(Exception):
                client = self._connect(ctx.find_root())
                if client is not None:
                    found.extend(islice(self._words(client, incomplete), _MOST))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(PATIENCE)
        return [] if asking.is_alive() else found


def scenarios(client: MasterClient, begun: str) -> Words:
    """Names of the catalogue."""
    names = (scenario["name"] for scenario in client.scenarios())
    return (CompletionItem(name) for name in names if name.startswith(begun))


def jobs(client: MasterClient, begun: str) -> Words:
    """Ids of jobs, the unfinished ones first; what they are beside them."""
    known = client.jobs(most=_MOST, whole=True) if len(begun) < SHORTEST else client.jobs_beginning(begun)
    return (
        CompletionItem(job["id"], help=f"{job['scenario']} {job['status']}")
        for job in islice(known, _MOST)
        if job["id"].startswith(begun)
    )


def nodes(client: MasterClient, begun: str) -> Words:
    """Names of nodes, and their ids where one was begun."""
    known = client.nodes()
    for node in known:
        if node["address"].startswith(begun) and sum(n["address"] == node["address"] for n in known) == 1:
            yield CompletionItem(node["address"], help=node["status"])
        elif node["id"].startswith(begun):
            yield CompletionItem(node["id"], help=f"{node['address']} {node['status']}")


class Context(click.types.StringParamType):
    """The name of a context."""

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's hook
        param: click.Parameter,  # noqa: ARG002 - click's hook
        incomplete: str,
    ) -> list[CompletionItem]:
        """Those of the config file."""
        with suppress(Exception):
            return [
                CompletionItem(name) for name in load(config_file()).contexts if name.startswith(incomplete)
            ]
        return []


_WORDS = {"job_id": jobs, "job_ids": jobs, "node_id": nodes, "scenario": scenarios}
"""What completes a parameter of that name."""
_CONTEXTS = (("main", "named"), ("use", "name"), ("unset", "name"))
"""Commands and their parameters that name a context."""


def complete(command: click.Command, connect: Connect) -> None:
    """Let every parameter of `command` and below that names something known be completed by it."""
    for parameter in command.params:
        words = _WORDS.get(parameter.name or "")
        if (command.name, parameter.name) in _CONTEXTS:
            parameter.type = Context()
        elif words is not None and isinstance(parameter.type, click.types.StringParamType):
            parameter.type = Known(words, connect)
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        complete(below, connect)
