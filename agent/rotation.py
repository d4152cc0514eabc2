"""The agent replaces its credential before it expires.

The new one is on disk before the master hears of it, and the one before is kept beside it: whenever
this process or the way to the master breaks off, the agent has one that the master knows.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import requests

from agent import identity
from agent.link import Link, RefusedError
from common.client import ApiError
from common.tokens import new_secret

log = logging.getLogger(__name__)


def due(terms: Mapping[str, Any]) -> bool:
    """Whether the master's answer asks for a new credential: a third of a life is left, or it has no end yet.

    An older master says nothing of it, and takes none.
    """
    if "credential_ttl" not in terms:
        return False
    left = terms["credential_expires_in"]
    return left is None or bool(left <= terms["credential_ttl"] / 3)


class Rotation:
    """Makes a new credential when it is time, and offers it until the master has taken it."""

    def __init__(self, link: Link, directory: Path) -> None:
        """`directory` has the identity."""
        self._link = link
        self._directory = directory

    def step(self) -> None:
        """One try, if it is time; what goes wrong is tried again after the next heartbeat."""
        if not due(self._link.terms):
            return
        link = self._link
        who = link.who
        try:
            if link.client.credential == who.credential:  # else the new one is still on offer
                who = replace(who, credential=new_secret(), previous=who.credential)
                identity.save(self._directory, who)
                link.who = who
                link.client.show(str(who.previous), spare=who.credential)
            terms = link.call(lambda: link.client.replace_credential(who.node_id, who.credential))
        except (identity.IdentityError, ApiError, RefusedError, requests.RequestException) as error:
            log.warning("The credential is not replaced yet: %s", error)
            return
        link.client.show(who.credential, spare=who.previous)
        link.terms = {**link.terms, **terms}
        log.info("The node has a new credential")
