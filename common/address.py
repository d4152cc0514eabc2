"""Where a master is, as people write it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_PORT = 8080


@dataclass(frozen=True, slots=True)
class Address:
    """Where a master is."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base of every request: https, always."""
        return f"https://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def directory(self) -> str:
        """A name for the files that belong to this master."""
        return f"{re.sub(r'[^A-Za-z0-9.-]', '_', self.host)}_{self.port}"


def parse_address(text: str) -> Address:
    """Host and port of a master; `http://` means `https://` here. ValueError if it is no address."""
    url = urlsplit(text if "://" in text else f"https://{text}")
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{text!r} is no master; write https://HOST:{DEFAULT_PORT}")
    if url.path not in ("", "/") or url.query or url.fragment or url.username:
        raise ValueError(f"{text!r} has more than host and port; write https://{url.hostname}:{DEFAULT_PORT}")
    try:
        return Address(url.hostname, url.port or DEFAULT_PORT)
    except ValueError as error:
        raise ValueError(f"{text!r} has no valid port; write https://HOST:{DEFAULT_PORT}") from error
