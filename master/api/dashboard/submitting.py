"""The form for a new job: its fields, what was typed, and what is wrong with it."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from marshmallow import ValidationError
from marshmallow.validate import OneOf

from common import problems
from common.model import Confidence, Priority
from common.problems import Problem
from common.scenarios import CATALOGUE, Scenario
from common.schema import ParametersSchema, SubmitSchema, flatten
from master.api.answers import caller, farm, invalid
from master.api.dashboard.page import MAX_FORM
from master.operator.arguments import parameters
from master.service import JobView, jobs
from master.submission import Key

COMMON = ("duration", "bitrate", "crf", "preset", "fps", "container", "audio", "split")
"""The parameters that have fields of their own; the others are written as `name=value`."""
_TOP = ("scenario", "input", "output", "priority", "confidence")
_AFTER = "depends_on"
"""Ids, with spaces or commas between."""
_CODECS = {"h264": "H.264", "h265": "H.265", "vp9": "VP9", "av1": "AV1"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form."""

    name: str
    value: str
    hint: str
    error: str | None
    choices: tuple[str, ...] = ()
    """Empty: any text."""

    @property
    def described_by(self) -> str:
        """The ids of what explains it."""
        return f"error-{self.name} hint-{self.name}" if self.error else f"hint-{self.name}"


def read() -> dict[str, str]:
    """What was typed, as text: also what is wrong is shown again."""
    request.max_form_memory_size = request.max_content_length = MAX_FORM
    return {name: value.strip() for name, value in request.form.items()}


def fields(typed: Mapping[str, str] | None, errors: Mapping[str, str]) -> dict[str, Any]:
    """What the form shows: what was `typed` and what is wrong with it; None: an empty one."""
    typed = typed or {}
    schemas = (SubmitSchema().fields, ParametersSchema().fields)
    shown = {
        name: Field(
            name,
            typed.get(name, ""),
            _hint(schema[name].metadata["description"]),
            errors.get(name),
            _choices(schema[name]),
        )
        for schema, names in zip(schemas, ((*_TOP, _AFTER), COMMON), strict=True)
        for name in names
    }
    shown["more"] = Field("more", typed.get("more", ""), "One name=value for each line.", errors.get("more"))
    return {
        "fields": shown,
        "common": COMMON,
        "scenarios": [(scenario.name, _explained(scenario)) for scenario in CATALOGUE],
        "priorities": [each.value for each in Priority],
        "confidences": [each.value for each in Confidence],
        "key": typed.get("key") or secrets.token_hex(16),
        "wrong": errors.get("", None),
    }


def _choices(field: Any) -> tuple[str, ...]:
    return next((tuple(each.choices) for each in field.validators if isinstance(each, OneOf)), ())


def _explained(scenario: Scenario) -> str:
    size, codec = f"{scenario.width}×{scenario.height}", _CODECS[scenario.codec]
    return f"{scenario.name}: {codec}, {size}, {scenario.fps:g} fps, {scenario.bitrate}bit/s"


def _hint(text: str) -> str:
    """The description of a field without its Markdown."""
    plain = text.replace("`", "")
    while (start := plain.find("([")) >= 0:
        plain = plain[:start].rstrip() + plain[plain.index("))", start) + 2 :]
    return plain[:1].upper() + plain[1:]


def submit(typed: Mapping[str, str]) -> JobView:
    """Queue what was typed, once for each form; the API's problems say what is wrong."""
    document: dict[str, Any] = {name: typed[name] for name in _TOP if typed.get(name)}
    if after := typed.get(_AFTER, "").replace(",", " ").split():
        document[_AFTER] = after
    document["parameters"] = _parameters(typed)
    try:
        loaded = SubmitSchema().load(document)
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    return jobs.submit(farm(), caller(), loaded, _key(typed, document))


def _parameters(typed: Mapping[str, str]) -> dict[str, Any]:
    pairs = [f"{name}={typed[name]}" for name in COMMON if typed.get(name)]
    lines = [line.strip() for line in typed.get("more", "").splitlines() if line.strip()]
    for line in lines:
        name, equals, value = line.partition("=")
        if not (name and equals and value):
            raise problems.invalid_field("more", f"{line!r} is not name=value.")
    return parameters([*pairs, *lines])


def _key(typed: Mapping[str, str], document: Mapping[str, Any]) -> Key | None:
    """The form's own key with what was typed: the same again is the same job, and another is another."""
    token = typed.get("key", "")
    if not (token.isascii() and token.isalnum() and len(token) <= 64):
        return None
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return Key(f"form-{token}-{digest[:32]}", digest, caller().owner)


def errors_of(problem: Problem) -> dict[str, str]:
    """What is wrong by field of the form; under `""` what belongs to none."""
    told: dict[str, str] = {}
    for error in problem.extra.get("errors", []):
        name = str(error["field"]).removeprefix("parameters.")
        name = _AFTER if name.startswith(f"{_AFTER}.") else name
        if name not in (*_TOP, _AFTER, *COMMON, "more"):
            name, error = "more", {"message": f"{name}: {error['message']}"}
        told.setdefault(name, error["message"])
    if problem.type is problems.UNKNOWN_SCENARIO:
        told["scenario"] = problem.detail
    elif problem.type is problems.UNKNOWN_FILE:
        told["input"] = problem.detail
    elif problem.type in (problems.UNKNOWN_JOB, problems.DEPENDENCY_FAILED):
        told[_AFTER] = problem.detail
    return told or {"": problem.detail}
