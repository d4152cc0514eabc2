"""An input is a file below a root or a file on a server, each in one spelling; nothing else is taken."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.inputs import InputError, MediaFile, Url, parse_host_pattern, parse_input, parse_url, readable


@pytest.mark.parametrize(
    ("text", "root", "path"),
    [
        ("media:films/a.mp4", "films", "a.mp4"),
        ("media:films/2024/a day.mp4", "films", "2024/a day.mp4"),
        ("media:Films-2.x/Ünïcode/日本.mkv", "Films-2.x", "Ünïcode/日本.mkv"),
        ("media:films/%2e%2e/a.mp4", "films", "%2e%2e/a.mp4"),  # names of files: nothing is decoded
        ("media:films/-i", "films", "-i"),
        ("media:films/img%03d.png", "films", "img%03d.png"),
        ("media:films/...", "films", "..."),
        ("media:films/a:b?c#d", "films", "a:b?c#d"),
    ],
)
def test_a_file_below_a_root_is_taken_as_it_is_written(text: str, root: str, path: str) -> None:
    assert parse_input(text) == MediaFile(root, path)


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("https://example.com/a.mp4", "https://example.com", "/a.mp4"),
        ("HTTPS://Example.COM./a.mp4?x=1&y=%20", "https://example.com", "/a.mp4?x=1&y=%20"),
        ("https://example.com", "https://example.com", "/"),
        ("https://example.com:443/", "https://example.com", "/"),
        ("http://example.com:8000/ä", "http://example.com:8000", "/ä"),
        ("https://bücher.example/a", "https://xn--bcher-kva.example", "/a"),
        ("https://\uff11\uff12\uff17.0.0.1/", "https://127.0.0.1", "/"),
        ("https://192.0.2.1:8443/a", "https://192.0.2.1:8443", "/a"),
        ("https://[2001:DB8:0::1]/a", "https://[2001:db8::1]", "/a"),
        ("https://[::ffff:127.0.0.1]/", "https://127.0.0.1", "/"),
    ],
)
def test_a_server_has_one_spelling(text: str, origin: str, target: str) -> None:
    parsed = parse_input(text)
    assert isinstance(parsed, Url)
    assert (str(parsed.origin), parsed.target) == (origin, target)


@pytest.mark.parametrize("text", ["media:r/" + "a" * 255, "media:r/" + "/".join(["ab"] * 1365)])
def test_the_longest_names_are_taken_and_longer_ones_are_not(text: str) -> None:
    parse_input(text)
    with pytest.raises(InputError, match="longer"):
        parse_input(text + "bbb")


@given(st.text())
def test_whatever_is_written_is_refused_or_stays_below_its_root(text: str) -> None:
    for start in ("", "media:films/", "https://", "https://example.com/", "https://["):
        try:
            parsed = parse_input(start + text)
        except InputError:
            continue
        if isinstance(parsed, MediaFile):
            assert not {"", ".", ".."} & set(parsed.path.split("/"))
            assert "\0" not in parsed.path
        else:
            assert parse_url(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("pattern", "url", "allowed"),
    [
        ("example.com", "https://example.com/a", True),
        ("example.com", "https://www.example.com/a", False),
        ("example.com", "https://notexample.com/a", False),
        ("example.com", "https://example.com:8443/a", False),
        ("example.com", "http://example.com/a", False),
        ("example.com:8443", "https://example.com:8443/a", True),
        ("http://example.com", "http://example.com/a", True),
        ("http://example.com", "https://example.com/a", False),
        ("*.example.com", "https://a.b.example.com/a", True),
        ("*.example.com", "https://example.com/a", False),
        ("*.example.com", "https://badexample.com/a", False),
        ("192.0.2.1", "https://192.0.2.1/a", True),
        ("[2001:db8::1]", "https://[2001:db8:0::1]/a", True),
        ("*.bücher.example", "https://a.xn--bcher-kva.example/", True),
    ],
)
def test_a_pattern_allows_a_host_with_its_scheme_and_port(pattern: str, url: str, allowed: bool) -> None:
    assert parse_host_pattern(pattern).allows(parse_url(url).origin) is allowed
    assert readable(parse_url(url).place, None, [pattern]) is allowed
    assert parse_host_pattern(str(parse_host_pattern(pattern))) == parse_host_pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["", "*", "*.", "a/b", "*.192.0.2.1", "ftp://a", "a b", "u@h", "a.*.b", "x:0"]
)
def test_what_is_no_host_is_no_pattern(pattern: str) -> None:
    with pytest.raises(InputError):
        parse_host_pattern(pattern)


def test_a_node_that_does_not_say_what_it_reads_reads_nothing() -> None:
    assert readable("media:films", ["films"], None)
    assert not readable("media:films", None, None)
    assert not readable("https://example.com", None, None)
