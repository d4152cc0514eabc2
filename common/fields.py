"""Fields that take a JSON type and nothing that could be made one."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from common import inputs, job_files, outputs, settings, split


def says(text: str, **more: Any) -> dict[str, Any]:
    """Arguments of a field: what it is, in words (Markdown) for docs/api.md and the OpenAPI document.

    `more`: what its JSON Schema says beyond its type and validators.
    """
    return {"metadata": {"description": text, **more}}


class Matches(validate.Validator):
    """The whole text fits a pattern (which OpenAPI can print: it is anchored at both ends)."""

    def __init__(self, pattern: str, message: str) -> None:
        self.regex = re.compile(f"^{pattern}$", re.ASCII)
        self._message = message

    def __call__(self, value: str) -> str:
        """The text; ValidationError with the message if it does not fit."""
        if not self.regex.fullmatch(value):
            raise ValidationError(self._message)
        return value


class StrictString(fields.String):
    """A string, and nothing that could be made one; without NUL, at which C programs end a text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if "\0" in value:
            raise ValidationError("Must not have a NUL in it.")
        return super()._deserialize(value, attr, data, **kwargs)


class StrictInteger(fields.Integer):
    """An integer: not a string, not true, not 1.5. (5.0 is 5: JSON has one kind of number.)"""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _validated(self, value: Any) -> int:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._validated(value)


class StrictFloat(fields.Float):
    """A number: not a string, not true. Whole numbers stay as they were sent: 60, not 60.0."""

    def _validated(self, value: Any) -> float:
        if isinstance(value, bool | str):
            raise self.make_error("invalid", input=value)
        checked = super()._validated(value)
        return value if isinstance(value, int) else checked


class ShortList(fields.List[Any]):
    """A list of at most `most` items; they are counted before any is looked at."""

    def __init__(self, inner: fields.Field[Any], *, most: int, **kwargs: Any) -> None:
        super().__init__(inner, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if isinstance(value, list) and len(value) > self.most:
            raise ValidationError(f"Must have at most {self.most} items.")
        return super()._deserialize(value, attr, data, **kwargs)


class ShortTuple(ShortList):
    """A list of different items that is kept, and so must not change."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        items = super()._deserialize(value, attr, data, **kwargs)
        if len(set(items)) != len(items):
            raise ValidationError("Must not have an item twice.")
        return tuple(items)


class Ladder(ShortTuple):
    """The rungs of a ladder; `auto` alone needs no list around it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize([value] if value == "auto" else value, attr, data, **kwargs)


class ShortDict(fields.Dict):
    """An object of at most `most` fields; they are counted before any is looked at."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, dict) and len(value) > self.most:
            raise ValidationError(f"Must have at most {self.most} fields.")
        return super()._deserialize(value, attr, data, **kwargs)  # type: ignore[no-untyped-call]  # marshmallow left it untyped


class StrictBoolean(fields.Boolean):
    """true or false: not 1, not "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class OneOf(StrictString):
    """A member of a StrEnum, by its value."""

    def __init__(self, enum: type, *, only: tuple[str, ...] | None = None, **kwargs: Any) -> None:
        choices = only or tuple(str(member) for member in enum)  # type: ignore[attr-defined]  # every caller hands an enum in
        super().__init__(
            validate=validate.OneOf(choices, error="Must be one of: {choices}."),
            **kwargs,
        )
        self.enum = enum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            return self.enum(text)
        except ValueError:
            return text  # the validator, which runs next, refuses it with the choices


class Bitrate(fields.Field[str]):
    """Bits per second, as `5000k`, `2.5M` or a plain number."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise ValidationError("Must be a bitrate such as 5000k.")
        try:
            settings.parse_bitrate(str(value))
        except ValueError as error:
            raise ValidationError(f"{error}.") from error
        return value


class Split(fields.Field[Any]):
    """Whether a file is encoded in chunks: `auto`, `off`, or how many."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and value in ("auto", "off"):
            return value
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not (whole and split.LEAST_CHUNKS <= value <= split.MOST_CHUNKS):
            raise ValidationError(
                f"Must be auto, off, or a number of chunks from {split.LEAST_CHUNKS} to {split.MOST_CHUNKS}."
            )
        return value


class HostPattern(StrictString):
    """Hosts that inputs may be fetched from, as `common.inputs` has them."""

    format = "ffrtmp-host-pattern"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            inputs.parse_host_pattern(text)
        except inputs.InputError as error:
            raise ValidationError(f"{error}.") from error
        return text


class Output(StrictString):
    """Where a job's output goes, as `common.outputs` has it."""

    format = "ffrtmp-output"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            outputs.parse_output(text)
        except inputs.InputError as error:
            raise ValidationError(f"Cannot be an output: {error}.") from error
        return text


class Input(StrictString):
    """An input of a job, as `common.inputs` has it."""

    format = "ffrtmp-input"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            if job_files.job_file(text) is None:
                inputs.parse_input(text)
        except inputs.InputError as error:
            raise ValidationError(f"Cannot be an input: {error}.") from error
        return text
