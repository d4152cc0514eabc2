"""The quality of a file, by a command line and by sums of its own: what reported quality is compared with.

The pictures are paired by their numbers. One that is smaller than its source is enlarged by another
library than the agent's (zimg, by the same bicubic curve).
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, quantiles

from bench.second_look import run

CEILING = 60.0
"""Decibels of two equal pictures of 8 bits, which are infinite."""
_BICUBIC = "zscale=w={}:h={}:filter=bicubic:param_a=0:param_b=0.6:chromalin=center:chromal=center"
"""The curve that ffmpeg's own scaler has for bicubic, and its place of chroma if a file has none."""


def quality(
    ffmpeg: Path,
    file: Path,
    reference: Path,
    times: Sequence[float] = (),
    size: tuple[int, int] | None = None,
) -> dict[str, float]:
    """VMAF, PSNR, SSIM and XPSNR of a file of 8 bits: the means over all frames, and more of VMAF.

    `times`: when each frame is shown, in seconds from the first. `size`: of the reference, if the file
    has another one.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        number = "settb=1/1000,setpts=N*40"
        larger = "" if size is None else f",{_BICUBIC.format(*size)}"
        graph = (
            f"[0:v]{number}{larger},format=yuv420p,split=4[a][b][c][d];"
            f"[1:v]{number},format=yuv420p,split=4[w][x][y][z];"
            f"[a][w]libvmaf=log_fmt=json:log_path={folder}/vmaf[v];[b][x]psnr=stats_file={folder}/psnr[p];"
            f"[c][y]ssim=stats_file={folder}/ssim[s];[d][z]xpsnr=stats_file={folder}/xpsnr[q]"
        )
        outputs = [word for label in "vpsq" for word in ("-map", f"[{label}]", "-f", "null", "-")]
        run(ffmpeg, "-i", file, "-i", reference, "-lavfi", graph, *outputs)
        found = json.loads((folder / "vmaf").read_text())
        psnr = re.findall(r"psnr_avg:(inf|[\d.]+)", (folder / "psnr").read_text())
        ssim = re.findall(r"All:([\d.]+)", (folder / "ssim").read_text())
        xpsnr = re.findall(r"XPSNR y: (\S+) +XPSNR u: (\S+) +XPSNR v: (\S+)", (folder / "xpsnr").read_text())
    vmaf = [frame["metrics"]["vmaf"] for frame in found["frames"]]
    pooled = found["pooled_metrics"]["vmaf"]
    more = {"vmaf_p1": quantiles(vmaf, n=100, method="inclusive")[0]} if len(vmaf) > 1 else {}
    if len(times) == len(vmaf):
        more["vmaf_worst_second"] = _worst_second(vmaf, times)
    return {
        "vmaf_mean": pooled["mean"],
        "vmaf_harmonic_mean": pooled["harmonic_mean"],
        **more,
        "psnr_mean": fmean(min(CEILING, float(value)) for value in psnr),
        "ssim_mean": fmean(map(float, ssim)),
        "xpsnr_mean": fmean(min(CEILING, *map(float, planes)) for planes in xpsnr),
    }


def _worst_second(values: Sequence[float], times: Sequence[float]) -> float:
    """The least mean of the frames of one second, without the last second, which may not be whole."""
    whole = max(1, int(times[-1] + 0.04))
    means = [
        fmean(inside)
        for second in range(whole)
        if (inside := [v for v, t in zip(values, times, strict=True) if second <= t + 0.001 < second + 1])
    ]
    return min(means)
