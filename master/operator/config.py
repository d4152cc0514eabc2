"""`ffrtmp config`: several masters by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from common.address import parse_address
from master.operator.contexts import KEYS, Config, ConfigError, config_file, load
from master.operator.exits import UnknownError
from master.operator.formats import Answer, fields
from master.operator.tables import Column, said, table
from master.operator.talk import show
from master.operator.target import Target

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def config() -> None:
    """Several masters by name: a context is a master, its CA, and the file with your token.

    `ffrtmp --context NAME` and the variable FFRTMP_CONTEXT choose one for once, `ffrtmp config use` for good.
    """


@contextmanager
def clear_config() -> Iterator[None]:
    """Turn what is wrong with the file into a usage error of one line."""
    try:
        yield
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{config_file()}: {error.strerror}") from error


def _changed(change: Callable[[Config], Config]) -> Config:
    with clear_config():
        changed = change(load(config_file()))
        changed.save()
    return changed


def _known(found: Config, name: str) -> Mapping[str, str]:
    if name not in found.contexts:
        known = ", ".join(found.contexts) or "none"
        raise UnknownError(f"there is no context {name!r}; there are: {known}")
    return found.contexts[name]


def _document(found: Config, name: str) -> dict[str, Any]:
    values = found.contexts[name]
    return {"name": name, "current": name == found.current, **{key: values.get(key) for key in KEYS}}


@config.command("contexts")
@click.pass_obj
def contexts_command(settings: dict[str, Any]) -> None:
    """All contexts; a star marks the one that is used."""
    with clear_config():
        found = load(config_file())
    columns: list[Column] = [
        ("", lambda c: "*" if c["current"] else ""),
        ("NAME", lambda c: c["name"]),
        ("MASTER", lambda c: c["master"]),
        ("TOKEN FILE", lambda c: c["token_file"] or "-"),
        ("CA", lambda c: c["ca_cert"] or "-"),
    ]
    nothing = "There are no contexts. Make one with: ffrtmp config set NAME --master https://HOST:8080"
    rows = [_document(found, name) for name in found.contexts]
    show(table(rows, columns, nothing, fields("name current master ca_cert token_file"), "name"), settings)


@config.command("use")
@click.argument("name")
@click.pass_obj
def use_command(settings: dict[str, Any], name: str) -> None:
    """Use this context from now on, where no other is named."""

    def change(found: Config) -> Config:
        _known(found, name)
        return Config(found.file, name, found.contexts)

    changed = _changed(change)
    show(
        said(_document(changed, name), f"From now on: {name}, {changed.contexts[name]['master']}."), settings
    )


@config.command("set")
@click.argument("name")
@click.option("--master", help="The master; needed for a new context.", show_default=False)
@click.option("--ca-cert", type=_FILE, help="The master's CA.")
@click.option(
    "--token-file", type=_FILE, help="A file with your token, which stays there: keep it for yourself."
)
@click.pass_obj
def set_command(
    settings: dict[str, Any],
    name: str,
    master: str | None,
    ca_cert: Path | None,
    token_file: Path | None,
) -> None:
    """Make a context, or change one. The first one is used from then on."""
    if not name.strip():
        raise click.BadParameter("a name is empty; is a variable unset?", param_hint="NAME")
    given = {"master": master, "ca_cert": _absolute(ca_cert), "token_file": _absolute(token_file)}
    if master is not None:
        try:
            given["master"] = parse_address(master).url
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--master") from error

    def change(found: Config) -> Config:
        values = {**found.contexts.get(name, {}), **{k: v for k, v in given.items() if v is not None}}
        if "master" not in values:
            raise click.UsageError(f"there is no context {name!r} yet; say which master it is with --master")
        return found.with_context(name, values)

    changed = _changed(change)
    hint = "" if changed.current == name else f" Use it with: ffrtmp config use {name}"
    show(said(_document(changed, name), f"Context {name} is kept.{hint}"), settings)


def _absolute(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


@config.command("unset")
@click.argument("name")
@click.argument("keys", metavar="[ca_cert|token_file]...", nargs=-1, type=click.Choice(KEYS[1:]))
@click.pass_obj
def unset_command(settings: dict[str, Any], name: str, keys: tuple[str, ...]) -> None:
    """Forget a context, or only what it says of these. Files that it names are left alone."""

    def change(found: Config) -> Config:
        values = _known(found, name)
        if not keys:
            return found.without(name)
        return found.with_context(name, {key: value for key, value in values.items() if key not in keys})

    changed = _changed(change)
    done = f"Context {name} is forgotten." if not keys else f"Context {name} has no {' or '.join(keys)} now."
    show(said(_document(changed, name) if keys else {"name": name}, done), settings)


@config.command("show")
@click.pass_obj
def show_command(settings: dict[str, Any]) -> None:
    """What is used now, and where each value comes from."""
    chosen: Target = settings["target"]()
    document = {"context": chosen.context, "file": str(config_file())} | {
        key: {"value": each.value, "from": each.source} for key, each in chosen.settings.items()
    }

    def print_them() -> None:
        click.echo(f"context: {chosen.context or '-'}")
        for key, each in chosen.settings.items():
            click.echo(f"{key}: {each.value or '-'}  ({each.source})")

    show(Answer(document, print_them, name="context"), settings)


@config.command("path")
def path_command() -> None:
    """Where the config file is."""
    click.echo(str(config_file()))
