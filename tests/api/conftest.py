"""One real master for all tests of the API, and a corner of its farm for each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.masters import Master, patient_master


@pytest.fixture(scope="session")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("api") / "state") as running:
        yield running
