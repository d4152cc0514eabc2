"""Every answer tells a browser to run nothing in it, to frame it nowhere, and to keep no copy."""

from __future__ import annotations

import pytest

from tests.masters import Client

OURS = "script-src 'self'"
"""What a page may run: the master's own files."""


@pytest.mark.parametrize("path", ["/health", "/jobs", "/nothing", "/jobs/none", "/"])
def test_they_are_on_answers_refusals_and_pages(client: Client, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert not any("unsafe" in part or (part.startswith("script-src") and part != OURS) for part in policy)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"


def test_the_server_does_not_tell_its_version(client: Client) -> None:
    assert client.get("/health").headers["Server"] == "ffmpeg-rtmp"
