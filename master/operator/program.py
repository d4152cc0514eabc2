"""What all of `ffrtmp` has in common as a program: options in either place, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from master.operator.exits import Exit
from master.operator.formats import FORMATS

NAME = "ffrtmp"
COMPLETE_VARIABLE = "_FFRTMP_COMPLETE"
"""By which a shell asks what a word may become."""


class Later(NamedTuple):
    """A command whose module is loaded when it is used: `ffrtmp --help` needs none of them."""

    place: str
    """Where it is: `module:name`."""
    says: str
    """The first sentence of its help."""

    def load(self) -> click.Command:
        """The command."""
        module, _, name = self.place.partition(":")
        found = getattr(import_module(module), name)
        assert isinstance(found, click.Command)  # noqa: S101 - our own table
        return found

    def in_short(self, room: int) -> str:
        """What it says, in `room` characters, as click cuts it."""
        return click.Command(None, help=self.says).get_short_help_str(room)


class Program(click.Group):
    """The command itself: Ctrl-C and a closed pipe end it as they end any other program.

    Its commands are loaded one by one, as they are used.
    """

    def __init__(
        self, *args: Any, later: Mapping[str, Later], finish: Callable[[click.Command], None], **extra: Any
    ) -> None:
        """`later`: its commands by name. `finish` is called once with each when it is loaded."""
        super().__init__(*args, **extra)
        self._later = later
        self._finish = finish

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's hook
        """click's hook."""
        return sorted(self._later)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """click's hook: loads it."""
        if cmd_name in self._later and cmd_name not in self.commands:
            command = self._later[cmd_name].load()
            self._finish(command)
            self.add_command(command, cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """click's hook: the list in the help, which loads none."""
        names = self.list_commands(ctx)
        room = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._later[name].in_short(room)) for name in names])

    def main(self, *args: Any, **extra: Any) -> Any:
        """click's hook: its name is one, however it was started, and so is the variable of completion."""
        return super().main(*args, **{"prog_name": NAME, "complete_var": COMPLETE_VARIABLE, **extra})

    def invoke(self, ctx: click.Context) -> Any:
        """click's hook: run what was asked for."""
        try:
            answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError as error:
            # Python writes what is left once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(Exit.CLOSED) from error
        except KeyboardInterrupt as error:
            raise click.exceptions.Exit(Exit.INTERRUPTED) from error
        else:
            return answer


def _set(name: str) -> Any:
    """A callback that puts an option's value among the settings, if it was given."""

    def callback(context: click.Context, _: click.Parameter, value: Any) -> None:
        if value:
            context.ensure_object(dict)[name] = value

    return callback


def either_place(command: click.Command) -> None:
    """Let a command, or those below it, take `-o` and `-q` after its name too, unless they mean another."""
    if isinstance(command, click.Group):
        for below in command.commands.values():
            either_place(below)
        return
    taken = {name for parameter in command.params for name in parameter.opts}
    if "-o" not in taken:
        form = [name for name in ("-o", "--output") if name not in taken]
        command.params.append(
            click.Option(
                [*form, "_form"], type=click.Choice(FORMATS), expose_value=False, callback=_set("output"),
                allow_from_autoenv=False, help="How to print.",
            )
        )  # fmt: skip
    if not taken & {"-q", "--quiet"}:
        command.params.append(
            click.Option(
                ["-q", "--quiet", "_quiet"], is_flag=True, expose_value=False, callback=_set("quiet"),
                allow_from_autoenv=False, help="Print ids only.",
            )
        )  # fmt: skip
