"""What a browser says about the page that sends a request: pure, over a WSGI environment.

`Sec-Fetch-Site` (W3C Fetch Metadata) and `Origin` (RFC 6454) are set by browsers, and pages cannot
change them. Other programs send neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAFE = ("GET", "HEAD")


def is_cross_site(environ: Mapping[str, Any]) -> bool:
    """Whether another site's page is behind this request."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return True
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin != f"https://{environ.get('HTTP_HOST')}"


def is_visit(environ: Mapping[str, Any]) -> bool:
    """Whether a person follows a link: the browser shows the answer to nobody else."""
    return (
        environ.get("REQUEST_METHOD") in _SAFE
        and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and environ.get("HTTP_SEC_FETCH_DEST") == "document"
        and "HTTP_ORIGIN" not in environ
    )


def may_use_session(environ: Mapping[str, Any]) -> bool:
    """Whether the session that came along may count: to change something, it must come from our own page."""
    if is_cross_site(environ):
        return False
    said = "HTTP_SEC_FETCH_SITE" in environ or "HTTP_ORIGIN" in environ
    return said or environ.get("REQUEST_METHOD") in _SAFE
