"""Submissions that the master refuses, by the field that each is refused for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from common.schema import ParametersSchema


@dataclass(frozen=True, slots=True)
class Request:
    """One submission."""

    name: str
    field: str
    """What the refusal must name."""
    body: dict[str, Any]


_INPUTS = {
    "dot dot": "media:films/../canary",
    "dot dot after a name": "media:films/a/../../canary",
    "dot dot at the end": "media:films/a/..",
    "single dot": "media:films/./a.mp4",
    "double slash": "media:films//etc/passwd",
    "empty path": "media:films/",
    "no path": "media:films",
    "trailing slash": "media:films/a/",
    "root dot dot": "media:../canary",
    "no root": "media:/etc/passwd",
    "root with a colon": "media:a:b/c",
    "capital scheme": "MEDIA:films/a.mp4",
    "backslashes": "media:films/..\\..\\canary",
    "NUL": "media:films/a.mp4\0.png",
    "newline": "media:films/a\n-i\n/etc/passwd",
    "carriage return": "media:films/a\r.mp4",
    "escape sequence": "media:films/\x1b[2J",
    "C1 control": "media:films/a\x9b.mp4",
    "line separator": "media:films/a\u2028b",
    "half a character": "media:films/\udcff.mp4",
    "overlong path": "media:films/" + "a/" * 2048 + "a",
    "overlong name": "media:films/" + "a" * 256,
    "overlong name in few characters": "media:films/" + "\u65e5" * 100,
    "job without a path": "job:00000000-0000-4000-8000-000000000000",
    "job and dot dot": "job:00000000-0000-4000-8000-000000000000/../canary",
    "job whose id is a path": "job:../../etc/passwd",
    "job of no batch": "job:#0/../canary",
    "nothing": "",
    "a space": " ",
    "absolute path": "/etc/passwd",
    "relative path": "../canary",
    "file protocol": "file:/etc/passwd",
    "file URL": "file:///etc/passwd",
    "concat protocol": "concat:/etc/hostname|/etc/passwd",
    "concatf protocol": "concatf:/etc/passwd",
    "data protocol": "data:video/mp4;base64,AAAA",
    "pipe protocol": "pipe:0",
    "fd protocol": "fd:",
    "subfile protocol": "subfile,,start,0,end,64,,:/etc/passwd",
    "crypto protocol": "crypto:/etc/passwd",
    "async protocol": "async:file:/etc/passwd",
    "cache protocol": "cache:http://127.0.0.1/",
    "unix socket": "unix:/run/docker.sock",
    "rtmp": "rtmp://127.0.0.1/live",
    "tcp": "tcp://127.0.0.1:22",
    "ftp": "ftp://127.0.0.1/",
    "gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
    "hls prefix": "hls+http://127.0.0.1/a.m3u8",
    "option": "-i",
    "option with a value": "-i /etc/passwd",
    "lavfi graph": "movie=/etc/passwd",
    "user in the URL": "https://example.com@127.0.0.1/",
    "password in the URL": "https://u:p@example.com/",
    "fragment": "https://127.0.0.1/#@example.com/",
    "backslash before the host": "https://example.com\\@127.0.0.1/",
    "backslash for slash": "https:\\\\127.0.0.1/",
    "space in the URL": "https://example.com/a b",
    "tab in the host": "https://127.0.0\t.1/",
    "newline in the URL": "https://example.com/\r\nHost: 127.0.0.1",
    "no-break space": "https://example.com/\u00a0",
    "no host": "https:///etc/passwd",
    "no slashes": "https:127.0.0.1",
    "decimal address": "https://2130706433/",
    "hexadecimal address": "https://0x7f000001/",
    "hexadecimal parts": "https://0x7f.0.0.1/",
    "octal parts": "https://0177.0.0.1/",
    "short address": "https://127.1/",
    "zero": "https://0/",
    "five parts": "https://1.2.3.4.5/",
    "out of range": "https://256.0.0.1/",
    "full-width short address": "https://\uff11\uff12\uff17.1/",
    "circled letters": "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3:0/",
    "zone": "https://[fe80::1%25lo]/",
    "unclosed bracket": "https://[::1/",
    "no IPv6": "https://[example.com]/",
    "port 0": "https://example.com:0/",
    "port too large": "https://example.com:65536/",
    "two ports": "https://example.com:80:22/",
    "empty label": "https://a..example.com/",
    "percent in the host": "https://%31%32%37.0.0.1/",
    "overlong URL": "https://example.com/" + "a" * 2048,
}  # fmt: skip

_VALUES: dict[str, str | list[str]] = {
    "duration": "10;movie=/etc/passwd",
    "bitrate": "5000k -i /etc/passwd",
    "preset": "veryfast,movie=/etc/passwd",
    "crf": "$(id)",
    "width": "1280:flags=`id`",
    "height": "720[a];movie=/etc/passwd[b]",
    "fps": "30,drawtext=textfile=/etc/passwd",
    "codec": "../../h264",
    "threads": "1' -i '/etc/passwd",
    "gop": "-i",
    "pixel_format": "yuv420p\n-i\n/etc/passwd",
    "audio": "aac -f tee file:/tmp/x",
    "audio_bitrate": "128k -f tee",
    "loudness": "-23:file=/etc/passwd",
    "subtitles": "subtitles=/etc/passwd",
    "container": "tee",
    "segment_seconds": "6;concat:/etc/passwd",
    "overwrite": "-y",
    "output_mode": "tee",
    "record": "-c copy",
    "maxrate": "5000k -i /etc/passwd",
    "two_pass": "-passlogfile /etc/passwd",
    "target_vmaf": "95:model=path=/etc/passwd",
    "quality": ["vmaf=model_path=/etc/passwd"],
    "energy": "1; id",
    "hwaccel": "vaapi=x:/dev/mem",
    "content": "movie=/etc/passwd",
    "deinterlace": "yadif,movie=/etc/passwd",
    "hdr": "tonemap=file=/etc/passwd",
    "ladder": ["720p -i /etc/passwd"],
    "pictures": "yes,movie=/etc/passwd",
    "split": "auto; id",
}
assert set(_VALUES) == set(ParametersSchema().fields), "an attack for each parameter"

_BODIES: dict[str, tuple[str, dict[str, Any]]] = {
    "filter as a parameter": ("parameters.filter", {"parameters": {"filter": "movie=/etc/passwd"}}),
    "raw options": ("parameters.extra", {"parameters": {"extra": ["-i", "/etc/passwd"]}}),
    "output path": ("output", {"output": "/etc/cron.d/x"}),
    "command line": ("command", {"command": "ffmpeg -i /etc/passwd"}),
    "encoder with an option": ("constraints.encoders.0", {"constraints": {"encoders": ["libx264 -i x"]}}),
    "encoder that is an option": ("constraints.encoders.0", {"constraints": {"encoders": ["-i"]}}),
    "label with a newline": ("constraints.labels.a", {"constraints": {"labels": {"a": "b\nc"}}}),
    "depends on a path": ("depends_on.0", {"depends_on": ["../../etc/passwd"]}),
    "depends on a command": ("depends_on.0", {"depends_on": ["$(id)"]}),
    "input as a list": ("input", {"input": ["-i", "/etc/passwd"]}),
    "input as an object": ("input", {"input": {"url": "file:/etc/passwd"}}),
    "infinite duration": ("parameters.duration", {"parameters": {"duration": 1e300}}),
    "huge picture": ("parameters.width", {"parameters": {"width": 1_000_000}}),
}

REQUESTS = (
    *(Request(f"input: {name}", "input", {"input": text}) for name, text in _INPUTS.items()),
    *(
        Request(
            f"parameter: {name}",
            f"parameters.{name}{'.0' if isinstance(value, list) else ''}",
            {"parameters": {name: value}},
        )
        for name, value in _VALUES.items()
    ),
    *(Request(name, field, body) for name, (field, body) in _BODIES.items()),
)
