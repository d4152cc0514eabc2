"""A file is got whole or in part, as something that no browser would run."""

from __future__ import annotations

import hashlib

import pytest

from common import problems
from tests.api.corner import got, refused
from tests.files.support import content, store
from tests.masters import Client

DATA = content(700_001, "downloads")


@pytest.fixture
def address(client: Client) -> str:
    return f"/files/{store(client, DATA, name='ä day.mp4', media_type='video/mp4')['sha256']}"


def test_it_comes_whole(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.content == DATA
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%A4%20day.mp4"


@pytest.mark.parametrize(
    ("asked", "begin", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1000-299999", 1000, 300_000),
        ("bytes=700000-", 700_000, 700_001),
        ("bytes=-10", 699_991, 700_001),
        ("bytes=5-9999999", 5, 700_001),
    ],
)
def test_a_part_comes_alone(client: Client, address: str, asked: str, begin: int, end: int) -> None:
    answer = client.get(address, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.headers["Content-Range"] == f"bytes {begin}-{end - 1}/700001"
    assert answer.content == DATA[begin:end]


def test_a_part_that_is_not_there_is_refused(client: Client, address: str) -> None:
    body = refused(client.get(address, headers={"Range": "bytes=700001-"}), problems.WRONG_RANGE)
    assert body["size"] == 700_001


def test_its_head_tells_its_size(client: Client, address: str) -> None:
    answer = client.head(address)
    assert answer.headers["Content-Length"] == "700001"
    assert answer.content == b""


def test_who_has_it_is_told_so(client: Client, address: str) -> None:
    answer = client.get(address, headers={"If-None-Match": client.head(address).headers["ETag"]})
    assert (answer.status_code, answer.content) == (304, b"")


@pytest.mark.parametrize(
    "media_type",
    ["text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/javascript", None],
)
def test_what_a_browser_might_run_comes_as_bytes(client: Client, media_type: str | None) -> None:
    page = b"<script>alert(1)</script>" + str(media_type).encode()
    sha256 = store(client, page, name="a.html", **({"media_type": media_type} if media_type else {}))[
        "sha256"
    ]
    answer = client.get(f"/files/{sha256}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_list_has_pages_and_takes_the_beginning_of_a_hash(client: Client) -> None:
    stored = sorted(store(client, content(10, f"page {number}"))["sha256"] for number in range(5))
    seen: list[str] = []
    after: str | None = None
    while True:
        page = got(client.get("/files", params={"limit": "2"} | ({"after": after} if after else {})))
        seen += [file["sha256"] for file in page["files"]]
        after = page["next"]
        if after is None:
            break
    assert seen == sorted(seen)
    assert set(stored) <= set(seen)
    for sha256 in stored:
        found = got(client.get("/files", params={"sha256": sha256[:12]}))["files"]
        assert [file["sha256"] for file in found] == [sha256]


@pytest.mark.parametrize("query", [{"sha256": "xyz"}, {"after": "0"}, {"limit": "0"}, {"sha256": "0" * 65}])
def test_a_bad_query_is_refused(client: Client, query: dict[str, str]) -> None:
    refused(client.get("/files", params=query), problems.INVALID)


@pytest.mark.parametrize(
    "fields",
    [
        {"size": 1},
        {"sha256": "0" * 63, "size": 1},
        {"sha256": "A" * 64, "size": 1},
        {"sha256": "0" * 64, "size": -1},
        {"sha256": "0" * 64, "size": "1"},
        {"sha256": "0" * 64, "size": 1, "name": ""},
        {"sha256": "0" * 64, "size": 1, "media_type": "video/mp4\r\nX-Evil: 1"},
        {"sha256": "0" * 64, "size": 1, "path": "/etc/passwd"},
    ],
)
def test_a_bad_announcement_is_refused(client: Client, fields: dict[str, object]) -> None:
    refused(client.post("/files", json=fields), problems.INVALID)


@pytest.mark.parametrize("offset", ["", "-1", "x", "1.5", "9" * 17])
def test_a_piece_says_where_it_begins(client: Client, offset: str) -> None:
    begun = got(client.post("/files", json={"sha256": "2" * 64, "size": 100}))
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": offset}
    answer = client.patch(f"/files/uploads/{begun['id']}", data=b"x", headers=headers)
    refused(answer, problems.INVALID)


def test_a_piece_is_bytes_and_no_larger_than_it_may_be(client: Client) -> None:
    begun = got(client.post("/files", json={"sha256": "3" * 64, "size": 10**8}))
    address = f"/files/uploads/{begun['id']}"
    answer = client.patch(address, json={"a": 1}, headers={"Upload-Offset": "0"})
    refused(answer, problems.UNSUPPORTED_MEDIA_TYPE)
    headers = {"Content-Type": "application/octet-stream", "Upload-Offset": "0"}
    refused(client.patch(address, data=bytes(8 * 2**20 + 1), headers=headers), problems.TOO_LARGE)
    assert got(client.get(address))["offset"] == 0
