"""What no job may ask for is refused before it is queued, by the field that asks for it."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError

from common.schema import SubmitSchema, flatten
from tests.agent.attacks.requests import REQUESTS, Request


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.name)
def test_it_is_refused(request_: Request) -> None:
    with pytest.raises(ValidationError) as caught:
        SubmitSchema().load({"scenario": "480p-h264", **request_.body})
    assert {error["field"] for error in flatten(caught.value.messages)} == {request_.field}
