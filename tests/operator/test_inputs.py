"""`ffrtmp jobs submit --input` names what is encoded; a master that knows no inputs refuses it."""

from __future__ import annotations

import pytest

from common.address import parse_address
from common.client import PROTOCOL_HEADER, ApiError, MasterClient, establish_trust
from common.version import PROTOCOL
from tests.masters import Master
from tests.operator.conftest import Ffrtmp


def test_the_job_names_its_input_and_so_does_its_repeat(ffrtmp: Ffrtmp) -> None:
    job_id = ffrtmp.json("jobs", "submit", "480p-h264", "--input", "media:films/a day.mp4")["id"]
    assert ffrtmp.json("jobs", "show", job_id)["input"] == "media:films/a day.mp4"
    assert ffrtmp("jobs", "cancel", job_id).returncode == 0
    assert ffrtmp.json("jobs", "retry", job_id)["input"] == "media:films/a day.mp4"


def test_what_is_no_input_is_refused(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "submit", "480p-h264", "--input", "/srv/films/a.mp4")
    assert done.returncode == 1
    assert "input: Cannot be an input: write media:ROOT/PATH" in done.stderr


def test_an_older_master_refuses_a_job_that_it_would_understand_in_part(master: Master) -> None:
    # It drops what it does not know of newer callers: who submits does not say that it is one.
    address = parse_address(master.url)
    trusted = establish_trust(address, master.state_dir / "tls" / "ca.pem", master.state_dir)
    client = MasterClient(address, trusted)
    client._session.headers[PROTOCOL_HEADER] = str(PROTOCOL + 1)
    job = {"scenario": "480p-h264", "something_new": 1}
    for submit in (lambda: client.submit(job), lambda: client.submit_batch([job])):
        with pytest.raises(ApiError, match="something_new: Unknown field") as caught:
            submit()
        assert caught.value.slug == "invalid"
