"""Every scenario of the catalogue really encodes to what its name says."""

import pytest

from common.model import JobStatus
from common.scenarios import CATALOGUE, Scenario
from tests.agent.conftest import Encode


@pytest.mark.parametrize("scenario", CATALOGUE, ids=lambda scenario: scenario.name)
def test_it_yields_its_size_rate_and_codec(scenario: Scenario, encode: Encode) -> None:
    report = encode(scenario.name, {"duration": 2 / scenario.fps})
    assert (report.status, report.error) == (JobStatus.COMPLETED, None)
    made = [report.metrics[name] for name in ("width", "height", "frame_rate", "codec", "frames")]
    assert made == [
        scenario.width,
        scenario.height,
        pytest.approx(scenario.fps, 1e-3),
        scenario.codec,
        2,
    ]
