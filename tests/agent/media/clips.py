"""Makes small clips, and reads what came of them, independently of the agent's own prober."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from common.model import Report

H264 = ("-c:v", "libx264", "-preset", "ultrafast")


@dataclass(frozen=True, slots=True)
class Clips:
    """Makes clips in a directory with a real ffmpeg."""

    ffmpeg: Path
    directory: Path

    def make(self, name: str, *options: str) -> Path:
        """The file that ffmpeg makes with these options."""
        command = [str(self.ffmpeg), "-v", "error", "-y", *options, name]
        subprocess.run(command, check=True, cwd=self.directory, timeout=60)
        return self.directory / name

    def naive(self, source: Path, name: str = "naive.mp4", *options: str) -> Path:
        """What `ffmpeg -i SOURCE NAME` makes of it."""
        return self.make(name, "-i", source.name, *options)

    def says(self, *options: str) -> str:
        """What ffmpeg logs."""
        command = [str(self.ffmpeg), "-hide_banner", "-nostats", *options]
        done = subprocess.run(
            command, check=True, cwd=self.directory, timeout=60, capture_output=True, text=True
        )
        return str(done.stderr)

    def complaints(self, path: Path) -> list[str]:
        """What ffmpeg has to say against a file, all of which it decodes."""
        command = [str(self.ffmpeg), "-v", "warning", "-i", str(path), "-map", "0"]
        command += ["-fps_mode", "passthrough", "-enc_time_base:v", "demux", "-f", "null", "-"]
        done = subprocess.run(command, check=True, timeout=60, capture_output=True, text=True)
        return done.stderr.splitlines()


def picture(size: str = "160x90", rate: str = "25", seconds: float = 1) -> list[str]:
    """An input: a test picture."""
    return ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]


def tone(hertz: int = 440, seconds: float = 1, layout: str = "mono") -> list[str]:
    """An input: a tone."""
    return [
        "-f",
        "lavfi",
        "-i",
        f"sine=frequency={hertz}:duration={seconds},aformat=channel_layouts={layout}",
    ]


def output(report: Report) -> Path:
    """The file that a job made; it must have ended well."""
    assert report.error is None, report.error
    return Path(str(report.metrics["output_path"]))


def starts(path: Path, kind: str = "video", number: int = 0) -> list[float]:
    """When the packets of a track begin, in seconds, in order."""
    with av.open(str(path)) as container:
        stream = [stream for stream in container.streams if stream.type == kind][number]
        packets: list[Any] = [p for p in container.demux(stream) if p.size and not p.is_discard]
        return sorted(float(packet.pts * packet.time_base) for packet in packets)


def relative(times: Sequence[float]) -> list[float]:
    """Seconds from the first one."""
    return [time - times[0] for time in times]


def frames(path: Path) -> Iterator[Any]:
    """The decoded pictures."""
    with av.open(str(path)) as container:
        yield from container.decode(video=0)


def first(path: Path) -> Any:
    """The first decoded picture."""
    return next(frames(path))


def rows(frame: Any) -> list[bytes]:
    """The luma of a picture, line by line (8 bits)."""
    plane = frame.planes[0]
    data = bytes(plane)
    return [data[line * plane.line_size :][: frame.width] for line in range(frame.height)]


def streams(path: Path) -> list[tuple[str, str, str | None]]:
    """Type, codec and language of each track."""
    with av.open(str(path)) as container:
        return [
            (stream.type, stream.codec.canonical_name if stream.codec_context else "", stream.language)
            for stream in container.streams
        ]


def of_kind(path: Path, kind: str) -> list[tuple[str, str | None]]:
    """Codec and language of each track of a kind."""
    return [(codec, language) for type_, codec, language in streams(path) if type_ == kind]
