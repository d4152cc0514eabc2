"""A stream is encoded whole, and it is said why, if its packets leave open which picture is shown when."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest

import agent.chunks
import agent.chunks.pictures
from agent.chunks.bits import looker
from agent.chunks.planner import divide

ASKED: dict[str, Any] = {
    "rate": None, "frames": None, "duration": None, "interlaced": False, "lead": 12, "tail": 45,
    "audio": [], "subtitles": [],
}  # fmt: skip
KEY_VP8 = b"\x10" + bytes(5) + b"size" + b"\x10" * 10
OTHER_VP8 = b"\x10" * 20


@dataclass
class Packet:
    """As PyAV has it."""

    pts: int | None
    dts: int | None
    is_keyframe: bool = False
    data: bytes = b"\x10" * 20
    is_discard: bool = False
    is_corrupt: bool = False
    sides: tuple[str, ...] = ()
    duration: int = 40
    time_base: Fraction = Fraction(1, 1000)
    stream: Any = field(default_factory=lambda: SimpleNamespace(index=0, type="video"))

    @property
    def size(self) -> int:
        return len(self.data)

    def __bytes__(self) -> bytes:
        return self.data

    def has_sidedata(self, name: str) -> bool:
        return name in self.sides


@dataclass
class Container:
    """As PyAV has it."""

    packets: list[Packet]
    format: Any
    start_time: int | None = 0
    metadata: dict[str, str] = field(default_factory=dict)

    def demux(self, *_: Any) -> Iterator[Packet]:
        for packet in self.packets:
            if packet.pts == -1:
                raise av.error.InvalidDataError(1, "damaged")
            yield packet


def plain(count: int = 20) -> list[Packet]:
    """A key frame, and others behind it."""
    return [Packet(40 * n, 40 * n, n == 0, KEY_VP8 if n == 0 else OTHER_VP8) for n in range(count)]


def reason(
    packets: list[Packet], codec: str = "mjpeg", format_: str = "matroska", **asked: Any
) -> str | None:
    video = SimpleNamespace(
        index=0,
        time_base=Fraction(1, 1000),
        codec=SimpleNamespace(canonical_name=codec),
        codec_context=SimpleNamespace(extradata=b""),
        metadata={},
    )
    container: Any = Container(packets, SimpleNamespace(name=format_))
    said = divide(container, video, {**ASKED, **asked}).reason  # type: ignore[arg-type]
    return None if said is None else said.removeprefix("The input is encoded whole: ").removesuffix(".")


def but(number: int, **changes: Any) -> list[Packet]:
    """Plain ones, but for one."""
    packets = plain()
    for name, value in changes.items():
        setattr(packets[number], name, value)
    return packets


CASES: dict[str, tuple[list[Packet], dict[str, Any]]] = {
    "its codec prores is not one of those that can be divided exactly": (plain(), {"codec": "prores"}),
    "its format avi does not say a time for each picture": (plain(), {"format_": "avi"}),
    "it is interlaced, in a way that is not read exactly piece by piece": (plain(), {"interlaced": True}),
    "nothing of it is wanted": (plain(), {"duration": -1.0}),
    "it is interlaced, and has an edit list": (
        [Packet(0, 0, True, is_discard=True), *[Packet(40 * n, 40 * n, True) for n in range(1, 9)]],
        {"interlaced": True, "codec": "mpeg2video"},
    ),
    "it is damaged: not all of it can be read": (but(7, pts=-1), {}),
    "its pictures do not all say when they are shown": (but(7, pts=None), {}),
    "it is damaged": (but(7, is_corrupt=True), {}),
    "it is encrypted": (but(7, sides=("encryption_info",)), {}),
    "its size or format changes on the way": (but(7, sides=("new_extradata",)), {}),
    "its times jump": (but(19, pts=9000, dts=9000), {"format_": "mpegts"}),
    "it does not begin with a key frame": (plain()[1:], {}),
    "it has more than 10 pictures": (plain(), {}),
    "its times go back": (but(7, dts=0), {}),
    "it has no pictures": ([], {}),
    "several of its pictures have the same time": (but(7, pts=240), {}),
    "its pictures begin before the file does": (
        [Packet(-40, -40, True), *plain()[1:]], {}
    ),
    "it begins with pictures that need others before them": (
        [Packet(40, 0, True), Packet(0, 10), *[Packet(40 * n, 40 * n) for n in range(2, 9)]], {}
    ),
    "its edit list leaves parts of it out": (but(7, is_discard=True), {}),
    "its key frames are not in order": (
        [Packet(0, 0, True), Packet(200, 10, True), Packet(80, 80, True), Packet(160, 160)], {}
    ),
}  # fmt: skip
MORE: dict[str, tuple[list[Packet], dict[str, Any]]] = {
    "its size or format changes on the way": (
        but(7, is_keyframe=True, data=KEY_VP8.replace(b"size", b"SIZE")), {"codec": "vp8"}
    ),
    "nothing of it is wanted": (plain(), {"rate": [25, 1], "frames": 0}),
    "its times jump": (but(7, pts=100, dts=100), {"format_": "mpegts"}),
    "it is damaged": (but(0, is_corrupt=True), {}),
}  # fmt: skip
REFUSED = {
    "it was spliced: pictures at the seams are never shown": ("hevc", b"\0\0\1\x20\x01data"),
    "its packets hold two pictures each": ("mpeg4", b"\0\0\1\xb2DivX503b1393p\0\0\1\xb6data"),
    "some of its pictures are not coded": ("mpeg4", b"\0\0\1\xb6no"),
    "its packets hold several pictures that are shown": ("vp9", b"\x86\0\x86\0\xc1\x02\x02\xc1"),
}


def test_a_stream_of_which_all_is_known_is_divided() -> None:
    assert reason(plain()) is None
    assert reason(plain(), codec="vp8", format_="mpegts") is None


@pytest.mark.parametrize("why", CASES)
def test_it_is_said_why_a_stream_is_not_divided(why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packets, asked = CASES[why]
    if "more than" in why:
        monkeypatch.setattr(agent.chunks.pictures, "MOST_PICTURES", 10)
    assert reason(packets, **asked) == why


@pytest.mark.parametrize("why", MORE)
def test_and_so_where_it_has_that_in_another_way(why: str) -> None:
    packets, asked = MORE[why]
    assert reason(packets, **asked) == why


@pytest.mark.parametrize("why", REFUSED)
def test_a_picture_that_is_not_one_of_its_own_is_refused(why: str) -> None:
    codec, data = REFUSED[why]
    assert looker(codec, b"")(data, True).refused == why
    packets = [Packet(40 * n, 40 * n, True, data) for n in range(3)]
    assert reason(packets, codec=codec) == why


def test_there_is_no_other_reason() -> None:
    """Fields of H.264, and tracks of MPEG-TS, are in `test_reasons_in_files`."""
    in_files = (
        "its fields are coded as pictures of their own",
        "its times count from a track that is left out",
    )
    known = {*CASES, *REFUSED, *in_files}
    found = set(_reasons())
    assert len(found) >= 20
    for beginning, end in found:
        assert any(why.startswith(beginning) and why.endswith(end) for why in known), beginning


def _reasons() -> Iterator[tuple[str, str]]:
    """How each text begins and ends that our code raises UndividedError with, or refuses a picture by."""
    for path in sorted(Path(str(agent.chunks.__path__[0])).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Name(id="UndividedError"), args=[text]):
                    yield from _ends(text)
                case ast.Call(func=ast.Name(id="Look"), args=[_, _, _, text]):
                    yield from _ends(text)
                case ast.keyword(arg="refused", value=text):
                    yield from _ends(text)
                case ast.Assign(targets=[ast.Name(id="refused")], value=text):
                    yield from _ends(text)


def _ends(text: ast.expr) -> Iterator[tuple[str, str]]:
    match text:
        case ast.Constant(value=str(whole)):
            yield whole, whole
        case ast.IfExp(body=one):
            yield from _ends(one)
        case ast.JoinedStr(values=[ast.Constant(value=begin), *_]):
            last = text.values[-1]
            yield str(begin), str(last.value) if isinstance(last, ast.Constant) else ""
