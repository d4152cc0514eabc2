"""What all of `ffrtmp` has in common as a program: options in either place, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from master.operator.exits import Exit
from master.operator.formats import FORMATS


class Program(click.Group):
    """The command itself: Ctrl-C and a closed pipe end it as they end any other program."""

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


def either_place(group: click.Group) -> None:
    """Let every command below `group` take `-o` and `-q` after its name too, where they mean nothing else."""
    for command in group.commands.values():
        if isinstance(command, click.Group):
            either_place(command)
            continue
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
