"""The addresses of databases, as people write them."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

SCHEMES = ("postgresql", "postgres")


def is_database(text: str) -> bool:
    """Whether this is the address of a database, and no path."""
    return urlsplit(text).scheme in SCHEMES


def has_password(url: str) -> bool:
    """Whether there is a password in it."""
    parts = urlsplit(url)
    return bool(parts.password) or any(name == "password" for name, _ in parse_qsl(parts.query))


def without_password(url: str) -> str:
    """The same database, as it may be shown."""
    if not has_password(url):
        return url
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{parts.username}@{host}" if parts.username else host
    rest = [(name, value) for name, value in parse_qsl(parts.query) if name != "password"]
    return parts._replace(netloc=netloc, query=urlencode(rest)).geturl()
