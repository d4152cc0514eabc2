"""What the master accepts at the ends of each range, the encoder really takes."""

import pytest

from common.model import JobStatus, Scalar
from tests.agent.conftest import Encode

TINY: dict[str, Scalar] = {"width": 128, "height": 72, "duration": 0.1}


@pytest.mark.parametrize(
    ("codec", "parameters"),
    [
        ("h264", {"crf": 0}),
        ("h264", {"crf": 51, "gop": 1}),
        ("h264", {"threads": 64}),
        ("h264", {"bitrate": "500M"}),
        ("h265", {"crf": 0}),
        ("h265", {"crf": 51, "gop": 1}),
        ("h265", {"threads": 1}),
        ("h265", {"threads": 64}),
        ("h265", {"bitrate": "500M"}),
        ("vp9", {"crf": 0}),
        ("vp9", {"crf": 63, "gop": 1}),
        ("vp9", {"threads": 64}),
        ("vp9", {"bitrate": "500M"}),
        ("av1", {"crf": 1}),
        ("av1", {"crf": 63, "gop": 2}),
        ("av1", {"threads": 6, "width": 64, "height": 64}),
        ("av1", {"bitrate": "100M"}),
        *((codec, {"bitrate": "10k"}) for codec in ("h264", "h265", "vp9", "av1")),
        *((codec, {"gop": 100_000}) for codec in ("h264", "h265", "vp9", "av1")),
    ],
)
def test_it_is_encoded(codec: str, parameters: dict[str, Scalar], encode: Encode) -> None:
    report = encode("480p30-h264", {**TINY, "codec": codec, **parameters})
    assert (report.status, report.error) == (JobStatus.COMPLETED, None)
