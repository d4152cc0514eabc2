"""One real master for the tests of streams, and clients that hear what it says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.masters import Master, patient_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("live") / "state") as running:
        yield running
