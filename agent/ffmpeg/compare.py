"""The command line that compares an output with its source, frame n with frame n. Pure.

Both sides are numbered anew, so that no rounding of a container's pairs a frame with its neighbour.
What the times were is written down before: `agent.quality.alignment` judges by it whether the frames
that were paired are the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.ffmpeg.begin import begin
from agent.quality.frames import LOGS, METHODS, OUTPUT_TIMES, REFERENCE_TIMES, TICKS

MODEL, MODEL_4K = "vmaf_v0.6.1", "vmaf_4k_v0.6.1"
_MOST_THREADS = 16
"""Of libvmaf: each holds frames."""
_FILTER_THREADS = 4
"""Always as many, on whatever machine: the last digits of an SSIM depend on it."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One side of a comparison."""

    inputs: tuple[tuple[str, ...], ...]
    """What is opened, each with its options; several are joined in this order."""
    filters: tuple[str, ...] = ()
    """What the picture goes through before it is compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared, and how."""

    output: Feed
    reference: Feed
    width: int
    """Pixels, of both sides: the source's."""
    height: int
    pixel_format: str
    """Of both sides."""
    methods: tuple[str, ...]
    """Of `agent.quality.frames.METHODS`."""
    matrix: str | None = None
    """Of the colours of both sides, where the source has none as its picture is no YUV."""

    @property
    def model(self) -> str:
        """Netflix' model for a picture of this size: the one for 4K from 3840 x 2160 on, either way."""
        large = max(self.width, self.height) >= 3840 or min(self.width, self.height) >= 2160
        return MODEL_4K if large else MODEL


def build(ffmpeg: str, comparison: Comparison, threads: int) -> list[str]:
    """The argv; it writes the logs of `agent.quality.frames` into ffmpeg's working directory.

    `threads`: of libvmaf; its values do not depend on them.
    """
    argv = begin(ffmpeg)
    sides = (comparison.output, comparison.reference)
    argv += [word for side in sides for words in side.inputs for word in words]
    argv += ["-filter_complex_threads", str(_FILTER_THREADS), "-filter_complex", _graph(comparison, threads)]
    # The second output makes ffmpeg read the reference to its end, whatever becomes of the first.
    for label in ("[compared]", "[rest]"):
        argv += ["-map", label, "-fps_mode", "passthrough", "-f", "null", "-"]
    return argv


def joined(feed: Feed, first: int, filters: Sequence[str]) -> str:
    """The inputs of `feed`, of which the first one is ffmpeg's input `first`, through the filters."""
    heads = "".join(f"[{first + number}:V:0]" for number in range(len(feed.inputs)))
    one = [f"concat=n={len(feed.inputs)}:v=1:a=0"] if len(feed.inputs) > 1 else []
    return heads + ",".join([*one, *filters])


def _graph(comparison: Comparison, threads: int) -> str:
    methods = [method for method in METHODS if method in comparison.methods]
    size = f"{comparison.width}:{comparison.height}"
    matrix = f":out_color_matrix={comparison.matrix}" if comparison.matrix else ""
    same = [f"scale={size}:flags=bicubic:out_range=tv{matrix}", f"format={comparison.pixel_format}"]
    output, reference = comparison.output, comparison.reference
    copies = [f"[reference{number}]" for number in range(len(methods))]
    parts = [
        _side(output, 0, [*output.filters, *same], OUTPUT_TIMES, ["[output0]"]),
        _side(
            reference,
            len(output.inputs),
            [*reference.filters, *same],
            REFERENCE_TIMES,
            [*copies, "[rest]"],
        ),
    ]
    for number, method in enumerate(methods):
        end = "[compared]" if number + 1 == len(methods) else f"[output{number + 1}]"
        parts.append(f"[output{number}]{copies[number]}{_method(method, comparison, threads)}{end}")
    return ";".join(parts)


def _side(feed: Feed, first: int, filters: Sequence[str], times: str, ends: Sequence[str]) -> str:
    # Only frames that carry a note are printed.
    noted = ["metadata=mode=add:key=n:value=0", f"metadata=mode=print:key=n:file={times}"]
    # A thousand seconds for each frame: no encoder's time base could make two of them one.
    numbered = ["settb=1/1", "setpts=N*1000"]
    copied = [f"split={len(ends)}"] if len(ends) > 1 else []
    return joined(feed, first, [*filters, f"settb=1/{TICKS}", *noted, *numbered, *copied]) + "".join(ends)


def _method(method: str, comparison: Comparison, threads: int) -> str:
    log = LOGS[method]
    if method == "vmaf":
        how = f"model=version={comparison.model}:n_threads={min(threads, _MOST_THREADS)}"
        return f"libvmaf={how}:log_fmt=csv:log_path={log}"
    if method == "psnr":  # its own log has two decimals only
        return f"psnr,metadata=mode=print:key=lavfi.psnr.psnr_avg:file={log}"
    return f"{method}=stats_file={log}"
