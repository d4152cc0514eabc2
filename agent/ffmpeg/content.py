"""Pictures that ffmpeg makes, for jobs without an input. Pure.

None may cost more than its encode: `bench/content_cost.py` measures that. All of it is made in whole
numbers with fixed seeds, so that it is the same on every node.
"""

from __future__ import annotations

from agent.ffmpeg.timing import frame_rate
from common.settings import EncodeSettings

CLIP_WIDTH, CLIP_HEIGHT, CLIP_FRAMES = 1920, 1080, 60
CLIP_BYTES = CLIP_WIDTH * CLIP_HEIGHT * 3 // 2 * CLIP_FRAMES
CLIP_SHA256 = "c6039c0fcdca1a2f9e0d09572aa8dafd19dcfde7d1612ffa407416b0fcdf3713"
"""Of the clip that the ffmpeg of our packages makes: raw pictures, so that no version of a codec matters."""

EXACT = "bitexact+accurate_rnd+full_chroma_int"
"""Conversions without the shortcuts that differ from processor to processor."""


def graph(settings: EncodeSettings) -> str:
    """The filter graph that makes the picture of `settings.content`, but for `complex`, which is read."""
    size = f"size={settings.width}x{settings.height}:rate={frame_rate(settings.fps)}"
    match settings.content:
        case "noise":
            return _noise(size)
        case "motion":
            return _motion(settings)
        case _:
            return f"testsrc2={size}"


def _noise(size: str) -> str:
    """New noise in each frame: nothing can be foretold. The worst case of every encoder."""
    return f"color=c=gray:{size},format=yuv420p,noise=all_seed=1:c0s=60:c1s=20:c2s=20:allf=t"


def _motion(settings: EncodeSettings) -> str:
    """A fine texture that moves as a whole, and a chart that moves across it: all can be foretold by motion.

    The texture is made once, of noise, and then only moved.
    """
    width, height = settings.width, settings.height
    small = f"size={_even(width // 4)}x{_even(height // 4)}:rate={frame_rate(settings.fps)}"
    texture = (
        f"color=c=gray:{small},format=yuv420p,noise=all_seed=2:c0s=80:c1s=30:c2s=30,"
        f"scale={width}:{height}:flags=bicubic+{EXACT},setsar=1,loop=loop=-1:size=1,scroll=h=0.007:v=0.004"
    )
    return f"{texture}[back];testsrc2={small},format=yuv420p[chart];[back][chart]{_crossing(width, height)}"


def _crossing(width: int, height: int) -> str:
    """The chart goes to and fro, a hundredth of the picture for each frame."""
    x, y = _to_and_fro(width, 100), _to_and_fro(height, 140)
    return f"overlay=x='{x}':y='{y}'"


def _to_and_fro(length: int, frames: int) -> str:
    free = length - _even(length // 4)
    return f"trunc(abs(mod(n,{2 * frames})-{frames})*{free}/{frames})"


def _even(number: int) -> int:
    return max(16, number // 2 * 2)


def clip() -> str:
    """The filter graph of the complex clip: textures of three sizes that move past each other, a chart and a
    crowd of small things that cross them, and the grain of a camera.
    """
    size = f"{CLIP_WIDTH}:{CLIP_HEIGHT}"
    layers = (
        ("far", "60x34", "all_seed=11:c0s=100:c1s=60:c2s=60", "h=0.002:v=0.001"),
        ("middle", "240x136", "all_seed=22:c0s=100:c1s=40:c2s=40", "h=-0.006:v=0.003"),
        ("near", "960x540", "all_seed=33:c0s=60:c1s=15:c2s=15", "h=0.011:v=-0.004"),
    )
    graphs = [
        f"color=c=gray:size={small}:rate=30,format=yuv420p,noise={noise},"
        f"scale={size}:flags=bicubic+{EXACT},loop=loop=-1:size=1,scroll={motion}[{name}]"
        for name, small, noise, motion in layers
    ]
    graphs += [
        "[far][middle]blend=all_mode=average[back]",
        "[back][near]blend=all_mode=average[scene]",
        "testsrc2=size=480x270:rate=30,format=yuv420p[chart]",
        "life=size=160x160:rate=30:seed=7:ratio=0.4:mold=10:life_color=#e0c040:death_color=#204060:"
        f"mold_color=#803020,scale=480:480:flags=neighbor+{EXACT},format=yuv420p[crowd]",
        "[scene][chart]overlay=x=n*13:y=60+n*5[one]",
        "[one][crowd]overlay=x=1400-n*9:y=520-n*3,noise=all_seed=44:c0s=7:c1s=4:c2s=4:allf=t,format=yuv420p",
    ]
    return ";".join(graphs)
