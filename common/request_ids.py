"""The id of a request, by which it is found again in the logs of everybody who had to do with it."""

from __future__ import annotations

import random
import re

REQUEST_ID_HEADER = "X-Request-Id"
"""On every request of our own programs, and on every answer of the master."""
MAX_REQUEST_ID = 64
REQUEST_ID = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{MAX_REQUEST_ID - 1}}}", re.ASCII)
"""What is taken for one: it goes into logs and records, so it is short and has nothing odd in it."""


def new_request_id() -> str:
    """One that nobody has used before. It is no secret: the system need not be asked for it.

    Python seeds this anew in each process that is forked.
    """
    return f"{random.getrandbits(128):032x}"  # nosec B311


def well_formed(text: str | None) -> str | None:
    """The id that a caller sent, if it is one that can be taken."""
    return text if text is not None and REQUEST_ID.fullmatch(text) else None
