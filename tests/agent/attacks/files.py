"""Files that want more read than themselves, under an innocent name below a media root."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bait:
    """What an attack tries to reach, and what it may use."""

    canary: Path
    """A file outside of the media root."""
    port: int
    """Where a server listens on loopback."""
    video: bytes
    """A real mp4 whose index is at its end."""


@dataclass(frozen=True, slots=True)
class HostileFile:
    """One file."""

    name: str
    content: Callable[[Bait], bytes]
    live: bool = False
    """Whether an ffmpeg without our options reaches the canary: so the attack is a real one."""
    harmless: bool = False
    """Whether it is a video all the same, once the attack is left out."""


def _text(text: str) -> Callable[[Bait], bytes]:
    return lambda bait: (
        text.replace("CANARY", str(bait.canary)).replace("HOST", f"127.0.0.1:{bait.port}").encode()
    )


def _hls(segment: str, before: str = "") -> Callable[[Bait], bytes]:
    return _text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n{before}#EXTINF:10.0,\n{segment}\n#EXT-X-ENDLIST\n")


def _dash(base: str) -> Callable[[Bait], bytes]:
    return _text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>'
        '<AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" width="64" height="64">'
        f"<BaseURL>{base}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


_CONTAINERS = (b"moov", b"trak", b"mdia", b"minf", b"dinf")


def _with_reference(data: bytes, reference: bytes) -> bytes:
    """An mp4 whose data references are `reference`; nothing before its index moves."""
    out, at = b"", 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        content = data[at + 8 : at + size]
        if kind in _CONTAINERS:
            content = _with_reference(content, reference)
        elif kind == b"dref":
            content = struct.pack(">II", 0, 1) + reference
        out += _box(kind, content)
        at += size
    return out


def _alias(bait: Bait) -> bytes:
    """A Macintosh alias with an absolute path, as QuickTime's reference movies have it."""
    path = str(bait.canary).encode()
    record = bytes(10) + bytes([4]) + b"disk".ljust(27, b"\0") + bytes(12)
    record += bytes([6]) + b"canary".ljust(63, b"\0") + bytes(16) + struct.pack(">hh", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(path)) + path + bytes(len(path) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return _with_reference(bait.video, _box(b"alis", bytes(4) + record.ljust(160, b"\0")))


def _url_reference(bait: Bait) -> bytes:
    url = f"http://127.0.0.1:{bait.port}/a\0".encode()
    return _with_reference(bait.video, _box(b"url ", bytes(4) + url))


def _avi_with_playlist(bait: Bait) -> bytes:
    """AVI whose subtitle track (GAB2) is an HLS playlist."""
    playlist = _hls("file://CANARY")(bait)
    gab2 = b"GAB2\0" + struct.pack("<HIHHI", 2, 2, 0, 4, len(playlist)) + playlist
    header = _riff(b"avih", struct.pack("<14I", 40_000, 0, 0, 0x10, 1, 0, 2, 0, 64, 64, 0, 0, 0, 0))
    stream = _riff(b"strh", b"vidsMJPG" + struct.pack("<10I4H", 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0, 64, 64))
    stream += _riff(b"strf", struct.pack("<IiiHH4sIiiII", 40, 64, 64, 1, 24, b"MJPG", 0, 0, 0, 0, 0))
    text = _riff(b"strh", b"txts\0\0\0\0" + struct.pack("<10I4H", 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0))
    text += _riff(b"strf", b"")
    lists = header + _riff(b"LIST", b"strl" + stream) + _riff(b"LIST", b"strl" + text)
    movie = _riff(b"00dc", b"\xff\xd8\xff\xd9") + _riff(b"01tx", gab2)
    return _riff(b"RIFF", b"AVI " + _riff(b"LIST", b"hdrl" + lists) + _riff(b"LIST", b"movi" + movie))


def _riff(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


FILES = (
    HostileFile("HLS with a file", _hls("file://CANARY"), live=True),
    HostileFile("HLS with a server", _hls("http://HOST/a.ts"), live=True),
    HostileFile("HLS with concat", _hls("concat:CANARY|http://HOST/a")),
    HostileFile("HLS with a relative path", _hls("../canary.mp4")),
    HostileFile("HLS with data", _hls("data:video/mp2t;base64,R0AAEA==")),
    HostileFile("HLS with subfile", _hls("subfile,,start,0,end,64,,:CANARY")),
    HostileFile("HLS with a key", _hls("a.ts", '#EXT-X-KEY:METHOD=AES-128,URI="file://CANARY"\n')),
    HostileFile("HLS with crypto", _hls("crypto+file://CANARY")),
    HostileFile("HLS with a map", _hls("a.ts", '#EXT-X-MAP:URI="file://CANARY"\n')),
    HostileFile(
        "HLS of playlists", _text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nhttp://HOST/a.m3u8\n"), live=True
    ),
    HostileFile("ffconcat", _text("ffconcat version 1.0\nfile 'CANARY'\n")),
    HostileFile("ffconcat of a server", _text("ffconcat version 1.0\nfile 'http://HOST/a'\n")),
    HostileFile("ffconcat with options", _text("ffconcat version 1.0\nfile 'CANARY'\noption safe 0\n")),
    HostileFile("concat without its first line", _text("file 'CANARY'\n")),
    HostileFile("DASH with a file", _dash("file://CANARY")),
    HostileFile("DASH with a server", _dash("http://HOST/a.mp4"), live=True),
    HostileFile(
        "SDP", _text("v=0\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n")
    ),
    HostileFile("ASS with a font", _text("[Script Info]\nScriptType: v4.00+\n[Fonts]\nfontname: CANARY\n")),
    HostileFile("SubRip", _text("1\n00:00:00,000 --> 00:00:09,000\n<img src='CANARY'>\n")),
    HostileFile("SVG", _text('<svg xmlns="http://www.w3.org/2000/svg"><image href="CANARY"/></svg>')),
    HostileFile("AviSynth script", _text('AviSource("CANARY")\n')),
    HostileFile("filter graph", _text("movie=CANARY")),
    HostileFile("metadata", _text(";FFMETADATA1\ntitle=CANARY\n")),
    HostileFile("IMF", _text('<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>')),
    HostileFile("RTSP redirector", _text("[Reference]\nRef1=http://HOST/a\n")),
    HostileFile("WebM DASH manifest", _text("\x1aE\xdf\xa3CANARY")),
    HostileFile("VobSub", _text("# VobSub index file, v7\nid: en, index: 0\n")),
    HostileFile("mov with an alias", _alias, live=True),
    HostileFile("mp4 with a URL for its data", _url_reference, harmless=True),
    HostileFile("AVI with a playlist for subtitles", _avi_with_playlist),
    HostileFile("huge picture", _text("YUV4MPEG2 W60000 H60000 F25:1 Ip A1:1 C420jpeg\nFRAME\n")),
    HostileFile("cut off", lambda bait: bait.video[: len(bait.video) // 2]),
    HostileFile("noise", lambda _: bytes(range(256)) * 64),
)
