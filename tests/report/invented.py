"""Finished jobs as reports get them, with numbers that somebody might have measured."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

WAYS = {
    # codec, preset: the encoder; speed; how many times the bits of x264 it needs; joules per second
    ("h264", "veryfast"): ("libx264", 6.1, 1.0, 14.0),
    ("h264", "medium"): ("libx264", 2.4, 0.82, 31.0),
    ("h265", "superfast"): ("libx265", 2.2, 0.74, 38.0),
    ("av1", "10"): ("libsvtav1", 3.4, 0.55, 27.0),
}
RATES = (500, 1000, 2000, 4000, 8000)
"""kbit/s."""


def record(**changes: Any) -> dict[str, Any]:
    """One finished job."""
    return {
        "job_id": "job-1",
        "node": "worker-1",
        "scenario": "720p30-h264",
        "input": None,
        "parameters": {},
        "confidence": "auto",
        "status": "completed",
        "completed_at": "2026-05-01T10:00:00Z",
        "metrics": {"speed": 2.0, "duration": 10.0, "bitrate": 2_000_000.0},
        "repeats": [],
        "error": None,
        **changes,
    }


def vmaf(kilobits: float, needs: float, ease: float) -> float:
    """A curve that rises steeply and bends towards 100."""
    return 100 * (1 - math.exp(-ease * (kilobits / needs / 1000) ** 0.6))


def experiment(
    *, inputs: tuple[str | None, ...] = (None,), nodes: tuple[str, ...] = ("worker-1",), repeats: int = 1
) -> Iterator[dict[str, Any]]:
    """Every way at every rate, on every clip and node."""
    number = 0
    for clip, source in enumerate(inputs):
        for place, node in enumerate(nodes):
            for (codec, preset), (encoder, speed, needs, joules) in WAYS.items():
                for kilobits in RATES:
                    for repeat in range(repeats):
                        number += 1
                        quality = vmaf(kilobits, needs, 1.5 + 0.4 * clip)
                        wobble = 1 + 0.01 * math.sin(7 * number)
                        fast = speed * (1 + 0.4 * place) * wobble / (1 + 0.03 * kilobits / 1000)
                        yield record(
                            job_id=f"job-{number}",
                            node=node,
                            input=source,
                            parameters={
                                "codec": codec,
                                "preset": preset,
                                "bitrate": f"{kilobits}k",
                                "duration": 10,
                                "quality": ["vmaf", "psnr"],
                            },
                            metrics={
                                "encoder": encoder,
                                "ffmpeg_version": "9.0.2",
                                "width": 1280,
                                "height": 720,
                                "duration": 10.0,
                                "frames": 300,
                                "bitrate": kilobits * 1000.0 * (1 + 0.01 * math.cos(number - repeat)),
                                "speed": fast,
                                "cpu_seconds": 20 / fast,
                                "peak_memory_bytes": 400_000_000,
                                "vmaf_mean": quality,
                                "vmaf_p1": quality - 8,
                                "psnr_mean": 25 + quality / 6,
                                "energy_joules": joules * 10 / (1 + 0.4 * place) * wobble,
                                "energy_net_joules": joules * 7 / (1 + 0.4 * place) * wobble,
                                "energy_source": "rapl" if place == 0 else "model",
                                "cost": joules * 10 / 3.6e6 * 0.3,
                                "currency": "EUR",
                                "runs": 1,
                            },
                        )
