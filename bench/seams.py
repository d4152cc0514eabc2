"""Whether anybody could see where a file was divided: chunks against the whole encode, at equal bytes.

    python bench/seams.py [--codecs h264,h265,vp9,av1] [--clips scenes,zoom,still] [--lead 4,12]
                          [--seconds 40] [--size 480x270] [--chunks 4] [--threads 1]
    python bench/seams.py --bitrate 300k [--seconds 125] [--size 320x180] [--codecs h264,h265,vp9]

It makes a clip of several scenes and two of one long shot, encodes each whole and in chunks, with the agents'
own code on this machine, and compares both with the clip, frame by frame. The whole encode is made with two
crfs: between them lies the one with exactly the bytes of the chunks. `--lead`: frames that an encoder is
shown before its chunk, instead of as many as a plan gives it. The exit code is 1 if one is worse
than the whole encode by more than 0.1 dB or 0.1 VMAF, the 10 frames around a seam by more than 0.5 dB or
1 VMAF on average, or if a frame there is more than 0.5 dB below the worst one of the whole encode.

With `--bitrate` a clip of hard and easy scenes is encoded for that bitrate: in chunks, whole, and whole in
two passes. Chunks and two passes are compared with the clip, too, at equal bytes; that is only printed. The
exit code is 1 if the chunks together miss the bitrate by more than 3 %, and by more than 1 point more than
the two passes do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from agent.ffmpeg.discover import discover
from agent.ffmpeg.spawner import Spawner
from agent.sandbox import Sandbox
from bench.seam_lab import CLIPS, Lab, make, size_of
from bench.seam_scores import Difference, Scored, at_bytes, compared
from common.model import Value
from common.settings import parse_bitrate
from tests.agent.media.clips import Clips
from tests.split.pieces import Farm

CODECS: dict[str, tuple[str, float, float]] = {
    "h264": ("medium", 23, 0.5),
    "h265": ("fast", 26, 0.5),
    "vp9": ("8", 34, 1),
    "av1": ("10", 38, 1),
}
"""By codec, the preset, the crf, and how much another crf is away."""
_SCENE = 5.0
"""Seconds."""
_OTHER = 0.05
"""By how much the bitrate differs of another encode in two passes: near both is that of equal bytes."""
MOST_OFF, MORE_OFF = 0.03, 0.01
"""By how much of it a bitrate may be missed; by how much more than two passes over the whole miss it."""


@contextmanager
def laboratory(folder: Path) -> Iterator[Lab]:
    """One machine, in `folder`."""
    clips = folder / "clips"
    clips.mkdir()
    with Spawner() as spawner:
        toolbox = discover(spawner)
        ffmpeg = toolbox.chosen["libx264"].path
        yield Lab(Farm(Clips(ffmpeg, clips), toolbox, spawner, folder / "work", Sandbox()), ffmpeg)


def seams(lab: Lab, clip: Path, codec: str, asked: argparse.Namespace, lead: int | None) -> bool:
    """Prints how one clip fared; whether nothing of it can be seen."""
    preset, crf, step = CODECS[codec]
    width, height = map(int, asked.size.split("x"))
    given: dict[str, Value] = {"codec": codec, "preset": preset, "width": width, "height": height}
    given["threads"] = asked.threads
    made, chosen = lab.split(clip, {**given, "crf": crf}, asked.chunks, lead)
    split = lab.scores(made, clip)
    whole = lab.whole_scores(clip, {**given, "crf": crf})
    other = lab.whole_scores(clip, {**given, "crf": crf + (step if split.size < whole.size else -step)})
    found = compared(at_bytes(whole, other, split.size), split, [window.first for window in chosen[1:]])
    shown = "the plan's" if lead is None else str(lead)
    print(f"{codec:<5}{clip.stem:<7} lead {shown:<11}{_line(found, split, whole)}", flush=True)
    problems = found.problems()
    for problem in problems:
        print(f"    {problem}", flush=True)
    return not problems


def _line(found: Difference, split: Scored, whole: Scored) -> str:
    """`whole`: with the same crf."""
    seams = found.seams
    return (
        f"{split.size / whole.size - 1:+7.2%} bytes at the same crf, "
        f"{split.keys} key frames (the whole {whole.keys}); at equal bytes: "
        f"file {found.psnr:+.3f} dB {found.vmaf:+.3f} VMAF; "
        f"{len(seams)} seams, the least {min(s.psnr for s in seams):+.2f} dB "
        f"{min(s.vmaf for s in seams):+.2f} VMAF, worst frame {min(s.worst for s in seams):+.2f} dB"
    )


def _fast(codec: str) -> str:
    return "8" if codec == "vp9" else "veryfast"


def bitrate(lab: Lab, clip: Path, codec: str, asked: argparse.Namespace) -> bool:
    """Prints by how much a bitrate was missed; whether by no more than it may be."""
    target = parse_bitrate(asked.bitrate)
    width, height = map(int, asked.size.split("x"))
    given: dict[str, Value] = {
        "codec": codec,
        "preset": asked.preset or _fast(codec),
        "bitrate": asked.bitrate,
    }
    given |= {"width": width, "height": height}

    def off(size: int) -> float:
        return size * 8 / float(asked.seconds) / target - 1

    made, chosen = lab.split(clip, given, asked.chunks)
    split = lab.scores(made, clip)
    one = size_of(lab.whole(clip, given))
    twice: dict[str, Value] = {**given, "two_pass": True}
    two = lab.whole_scores(clip, twice)
    more = 1 + _OTHER if split.size >= two.size else 1 - _OTHER
    other = lab.whole_scores(clip, {**twice, "bitrate": str(round(target * more))})
    found = compared(at_bytes(two, other, split.size), split, [window.first for window in chosen[1:]])
    print(
        f"{codec} at {asked.bitrate}bit/s over {asked.seconds:g} s: {len(chosen)} chunks "
        f"{off(split.size):+.2%}, whole {off(one):+.2%}, whole in two passes {off(two.size):+.2%}; "
        f"chunks against two passes at equal bytes: {found.psnr:+.3f} dB {found.vmaf:+.3f} VMAF",
        flush=True,
    )
    return abs(off(split.size)) <= max(MOST_OFF, abs(off(two.size)) + MORE_OFF)


def _leads(text: str) -> list[int]:
    found = [int(each) for each in text.split(",")]
    if min(found) < 0:
        raise ValueError
    return found


def _codecs(text: str) -> list[str]:
    return _known(text.split(","), CODECS)


def _clips(text: str) -> list[str]:
    return _known(text.split(","), CLIPS)


def _known(names: list[str], known: Collection[str]) -> list[str]:
    if not set(names) <= set(known):
        raise ValueError
    return names


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--codecs", type=_codecs, help="of " + ", ".join(CODECS))
    parser.add_argument("--clips", type=_clips, default=list(CLIPS), help="of " + ", ".join(CLIPS))
    parser.add_argument("--lead", type=_leads, default=[None])
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--size")
    parser.add_argument("--chunks", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--bitrate", help="measure by how much that is missed, instead of seams")
    parser.add_argument("--preset", help="with --bitrate; veryfast, or 8 of vp9")
    asked = parser.parse_args()
    long = asked.bitrate is not None
    asked.codecs = asked.codecs or (["h264", "h265", "vp9"] if long else list(CODECS))
    asked.seconds = asked.seconds or (125.0 if long else 40.0)
    asked.size = asked.size or ("320x180" if long else "480x270")
    asked.chunks = asked.chunks or (8 if long else 4)
    return asked


def main() -> int:
    """The exit code."""
    asked = arguments()
    with tempfile.TemporaryDirectory() as name, laboratory(Path(name)) as lab:
        names = ["scenes"] if asked.bitrate else asked.clips
        folder = lab.farm.clips.directory
        scene = 9.0 if asked.bitrate else _SCENE
        clips = [make(folder, lab.ffmpeg, each, asked.size, asked.seconds, scene) for each in names]
        if asked.bitrate:
            good = [bitrate(lab, clips[0], codec, asked) for codec in asked.codecs]
        else:
            good = [
                seams(lab, clip, codec, asked, lead)
                for codec in asked.codecs
                for clip in clips
                for lead in asked.lead
            ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
