"""Each path of any bytes has one spelling, which can be printed, sent and typed, and leads back to it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.inputs import InputError, MediaFile, parse_input
from common.outputs import parse_output
from common.paths import HIDDEN, PathError, to_bytes, to_text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (b"a day.mp4", "a day.mp4"),
        (b"-i", "-i"),
        (b"100%.mp4", "100%.mp4"),
        (b"'\"$(x)`y`;*?", "'\"$(x)`y`;*?"),
        ("日本 😀 e\u0301".encode(), "日本 😀 e\u0301"),
        (b"caf\xe9.mp4", r"caf\xe9.mp4"),
        (b"a\nb\tc\x1b[31m\x7f", r"a\x0ab\x09c\x1b[31m\x7f"),
        (b"back\\slash\\x41", r"back\\slash\\x41"),
        (b"\xc0\xae\xc0\xae", r"\xc0\xae\xc0\xae"),
        ("\u202egnp.exe".encode(), r"\xe2\x80\xaegnp.exe"),
        ("\x85".encode(), r"\xc2\x85"),
        (b"\xed\xa0\x80", r"\xed\xa0\x80"),
        (b"x" * 255, "x" * 255),
    ],
)
def test_what_can_be_shown_is_and_the_rest_is_written_by_byte(path: bytes, text: str) -> None:
    assert to_text(path) == text
    assert to_bytes(text) == path
    assert parse_input(f"media:films/{text}") == MediaFile("films", text)
    assert parse_output(f"media:films/{text}").name == path  # type: ignore[union-attr]  # it is below a root


@given(st.binary(max_size=60).filter(lambda path: b"\0" not in path))
def test_every_path_comes_back(path: bytes) -> None:
    text = to_text(path)
    assert to_bytes(text) == path
    assert HIDDEN.search(text) is None
    assert json.loads(json.dumps(text)) == text
    text.encode()


@given(st.text(st.sampled_from("\\x0aeF9é\n"), max_size=12))
def test_no_path_has_two_spellings(text: str) -> None:
    try:
        path = to_bytes(text)
    except PathError:
        return
    assert to_text(path) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\\b", "write a backslash as"),
        ("a\\", "write a backslash as"),
        (r"caf\xE9", "in small letters"),
        (r"\x41", "write A"),
        (r"a\x2f..\x2fb", "write a/../b"),
        (r"\xc3\xa9", "write é"),
        ("a\nb", r"write a\\x0ab"),
        (r"a\x00b", "NUL"),
        ("a\0b", "NUL"),
        ("\udce9", "half a character"),
    ],
)
def test_another_spelling_is_refused_with_the_right_one(text: str, message: str) -> None:
    with pytest.raises(PathError, match=message):
        to_bytes(text)
    with pytest.raises(InputError):
        parse_input(f"media:films/{text}")


@pytest.mark.parametrize("text", [r"\x2e\x2e/a", r"a//b", "", r"\x2e"])
def test_no_spelling_leads_out_of_a_root(text: str) -> None:
    with pytest.raises(InputError):
        parse_input(f"media:films/{text}")


def test_lengths_are_those_of_the_bytes() -> None:
    parse_input("media:films/" + r"\xff" * 255)
    with pytest.raises(InputError, match="longer than 255 bytes"):
        parse_input("media:films/" + r"\xff" * 256)
    with pytest.raises(InputError, match="longer than 255 bytes"):
        parse_input("media:films/" + "é" * 128)
