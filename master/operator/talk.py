"""How a command talks to the master, and what it prints of the answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import click
import requests

from common.client import ApiError
from common.trust import TrustError, explain
from master.operator.exits import UnreachableError, refusal
from master.operator.formats import lines, names


def talks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the command a client, print what it answers, and turn every failure into one line."""

    @functools.wraps(function)
    @click.pass_obj
    def command(settings: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        with clear_failures(settings):
            answer = function(settings["connect"](), *args, **kwargs)
            if answer is not None:
                show(answer, settings)  # which may go on asking: a long list comes in pages

    return command


@contextmanager
def clear_failures(settings: dict[str, Any]) -> Iterator[None]:
    """Turn every failure of talking to the master into one line."""
    try:
        yield
    except BrokenPipeError:
        raise  # of our own output
    except ApiError as error:
        raise refusal(error) from error
    except TrustError as error:
        raise UnreachableError(str(error)) from error
    except requests.exceptions.SSLError as error:
        raise UnreachableError(explain(error)) from error
    except (OSError, requests.RequestException) as error:
        unreachable = f"cannot reach the master at {settings['url']}: {_reason(error)}"
        raise UnreachableError(unreachable) from error


def full_id(start: str, documents: Iterable[dict[str, Any]]) -> str:
    """The one id that begins with `start`; what was typed if there is none or more than one."""
    if not start:
        raise click.BadParameter("an id is empty; is a variable unset?")
    matches = [document["id"] for document in documents if document["id"].startswith(start)]
    return matches[0] if len(matches) == 1 else start


def _reason(error: Exception) -> str:
    if isinstance(error, requests.exceptions.Timeout):
        return "it does not answer"
    if isinstance(error, requests.exceptions.ConnectionError | ConnectionRefusedError):
        return "nothing answers there; is it running?"
    return str(error)


def show(answer: Any, settings: dict[str, Any]) -> None:
    """Print an answer in the way that was asked for; a bare text is printed as it is."""
    if isinstance(answer, str):
        click.echo(answer)
    elif settings["quiet"]:
        _print(names(answer))
    elif settings["output"] == "table":
        answer.show()
    else:
        _print(lines(answer, settings["output"]))


def _print(pieces: Iterable[str]) -> None:
    for piece in pieces:
        click.echo(piece, nl=False)
