"""How a join token reaches the agent, and when it is not needed any more."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from agent import identity
from agent.link import Link
from common.tokens import TokenText, parse

log = logging.getLogger(__name__)


class JoinError(Exception):
    """The join token is none; the message is one line and says what to do."""


def read_token(file: Path | None, text: str | None, *, needed: bool) -> TokenText | None:
    """The join token from `file`, or as `text` has it; None if there is none.

    `JoinError` if it is no token, but only where it is `needed`.
    """
    try:
        return _parse(file, text)
    except JoinError as error:
        if needed:
            raise
        log.debug("The node has joined already, so this does not matter: %s", error)
        return None


def _parse(file: Path | None, text: str | None) -> TokenText | None:
    try:
        text = file.read_text() if file is not None else text
        token = parse(text) if text is not None and text.strip() else None
    except OSError as error:
        raise JoinError(f"the join token's file {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise JoinError(f"the join token's file {file} holds no text") from error
    except ValueError as error:
        raise JoinError(f"the join token {error}") from error
    if token is not None and token.fingerprint is None:
        raise JoinError("the join token is not a token: one begins with ffrtmp1.")
    return token


def note(directory: Path, link: Link) -> None:
    """Keep that the master has let us in; on a full disk the token is shown again, which is harmless."""
    if link.who.joined or link.terms["status"] == "unapproved":
        return
    link.who = replace(link.who, joined=True)
    try:
        identity.save(directory, link.who)
    except identity.IdentityError as error:
        log.warning("%s", error)
