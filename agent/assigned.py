"""A job as the master's answer to a poll has it. What an older master does not know of has its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from agent.task import Assignment, PartDone
from common.model import Artifact, ArtifactKind, Confidence, Stage, Window
from common.request_ids import well_formed
from common.schema import WindowSchema


def assignment_of(answer: Mapping[str, Any]) -> Assignment:
    """What the answer `GET /jobs/next` gives this node to do."""
    return Assignment(
        answer["id"],
        answer["scenario"],
        answer["parameters"],
        answer["lease_id"],
        answer["attempt"],
        input=answer.get("input"),
        output=answer.get("output"),
        confidence=Confidence(answer.get("confidence", Confidence.AUTO)),
        stage=Stage(answer.get("stage", Stage.ENCODE)),
        part=answer.get("part"),
        parts=tuple(map(_part, answer.get("parts", ()))),
        request_id=well_formed(answer.get("request_id")),
        window=_window(answer),
        source=answer.get("source"),
        parent_id=answer.get("parent_id"),
        hand_on=answer.get("hand_on", False),
    )


def _part(document: Mapping[str, Any]) -> PartDone:
    return PartDone(
        document["part"],
        document["job_id"],
        document["metrics"],
        tuple(Artifact(**{**each, "kind": ArtifactKind(each["kind"])}) for each in document["artifacts"]),
        Stage(document.get("stage", Stage.ENCODE)),
        _window(document),
    )


def _window(document: Mapping[str, Any]) -> Window | None:
    window = document.get("window")
    return None if window is None else cast(Window, WindowSchema().load(window))
