"""How `ffrtmp` ends: the exit code says what came of it. docs/cli.md has the same table."""

from __future__ import annotations

from enum import IntEnum
from http import HTTPStatus
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from common.client import ApiError


class Exit(IntEnum):
    """An exit code."""

    OK = 0
    NO = 1
    USAGE = 2
    UNREACHABLE = 3
    DENIED = 4
    UNKNOWN = 5
    INTERRUPTED = 130
    CLOSED = 141


MEANINGS: dict[Exit, str] = {
    Exit.OK: "it is done; the answer is yes",
    Exit.NO: "the answer is no, the master refuses it, or a job failed; the message says why",
    Exit.USAGE: "wrong usage, or a config file that cannot be read; nothing was sent",
    Exit.UNREACHABLE: "the master is not reachable, not to be trusted, or cannot answer now",
    Exit.DENIED: "the token is missing, is not valid, or does not allow this",
    Exit.UNKNOWN: "there is nothing with that id or name, or the beginning of an id fits several",
    Exit.INTERRUPTED: "ended by Ctrl-C",
    Exit.CLOSED: "who read the output has closed it, as `head` does",
}
"""What each exit code says."""


class UnreachableError(click.ClickException):
    """The master is not reachable, not to be trusted, or cannot answer now."""

    exit_code = int(Exit.UNREACHABLE)


class DeniedError(click.ClickException):
    """What was shown does not allow it."""

    exit_code = int(Exit.DENIED)


class UnknownError(click.ClickException):
    """There is nothing with that id or name."""

    exit_code = int(Exit.UNKNOWN)


def refusal(error: ApiError, of: str = "") -> click.ClickException:
    """What the master refused, as an error that ends the command with the right exit code.

    `of`: what was to be done, before the sentence.
    """
    # What the caller did wrong is in the sentence; what the master did wrong is in its log.
    where = f" (request {error.request_id})" if error.request_id and error.status >= 500 else ""
    text = f"{of}{error}{where}"
    if error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return DeniedError(text)
    if error.status == HTTPStatus.NOT_FOUND:
        return UnknownError(text)
    return UnreachableError(text) if error.temporary else click.ClickException(text)
