"""apispec's marshmallow plugin, taught what our own fields and validators mean in JSON Schema."""

from __future__ import annotations

import inspect
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from common.examples import EXAMPLES
from common.fields import Bitrate, HostPattern, Input, Output, ShortDict, ShortList, ShortTuple, Split
from common.result import METRICS
from common.scenarios import CATALOGUE
from common.schema import ErrorSchema, FailureField, ReportSchema, SubmitSchema, is_scalar
from common.settings import BITRATE, MAX_BITRATE, MIN_BITRATE
from common.split import LEAST_CHUNKS, MOST_CHUNKS
from common.strictjson import MAX_INTEGER
from master.api.queries import Wait

_SCALAR = {
    "type": ["string", "number", "boolean", "null"],
    "minimum": -MAX_INTEGER,
    "maximum": MAX_INTEGER,
}


class FarmConverter(OpenAPIConverter):
    """Converts our fields too."""

    def init_attribute_functions(self) -> None:
        """apispec calls this to list its steps; ours come last."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call]  # apispec left it untyped
        for step in (_bounds, _own, _names, _without_null_default):
            self.add_attribute_function(step)  # type: ignore[no-untyped-call]  # apispec left it untyped

    def schema2jsonschema(self, schema: Any) -> dict[str, Any]:
        """With the docstring as its description."""
        found: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]  # apispec left it untyped
        class_: Any = schema if inspect.isclass(schema) else type(schema)
        found["description"] = inspect.cleandoc(class_.__doc__ or "")
        if class_ in EXAMPLES:
            found["examples"] = [EXAMPLES[class_]]
        if issubclass(class_, SubmitSchema):
            found["properties"]["scenario"]["enum"] = [scenario.name for scenario in CATALOGUE]
        if class_ is ReportSchema:
            found["properties"]["metrics"]["properties"] = {
                name: _metric(metric.type) for name, metric in METRICS.items()
            }
        return found


class FarmPlugin(MarshmallowPlugin):
    """The plugin with our converter."""

    Converter = FarmConverter

    def property_of(self, field: fields.Field[Any]) -> dict[str, Any]:
        """The JSON Schema of one field."""
        assert self.converter is not None  # noqa: S101 - apispec sets it when the plugin is handed over
        return self.converter.field2property(field)

    def reference_to(self, schema: type[Schema]) -> dict[str, Any]:
        """A reference to a schema, which is added to the document."""
        assert self.converter is not None  # noqa: S101 - as above
        found: dict[str, Any] = self.converter.resolve_nested_schema(schema)
        return found


def _bounds(_converter: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """How much a list or an object holds at most."""
    if isinstance(field, ShortList):
        different = {"uniqueItems": True} if isinstance(field, ShortTuple) else {}
        return {"maxItems": field.most, **different}
    return {"maxProperties": field.most} if isinstance(field, ShortDict) else {}


def _names(converter: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """What the names in an object may be."""
    if not isinstance(field, fields.Dict) or field.key_field is None:
        return {}
    rule = {k: v for k, v in converter.field2property(field.key_field).items() if k in ("pattern", "enum")}
    return {"propertyNames": rule} if rule else {}


def _own(converter: OpenAPIConverter, field: fields.Field[Any], **_: Any) -> dict[str, Any]:
    """Fields of our own that are no variety of marshmallow's."""
    if isinstance(field, Bitrate):
        text = {"type": "string", "pattern": f"^{BITRATE.pattern}$"}
        return {"anyOf": [text, {"type": "integer", "minimum": MIN_BITRATE, "maximum": MAX_BITRATE}]}
    if isinstance(field, Split):
        number = {"type": "integer", "minimum": LEAST_CHUNKS, "maximum": MOST_CHUNKS}
        return {"anyOf": [{"type": "string", "enum": ["auto", "off"]}, number]}
    if isinstance(field, fields.Tuple):
        items = [converter.field2property(each) for each in field.tuple_fields]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)} | (
            {} if not field.load_default else {"default": list(field.load_default)}
        )
    if isinstance(field, FailureField):
        sentence = converter.field2property(ErrorSchema().fields["message"])
        return {"anyOf": [converter.resolve_nested_schema(ErrorSchema), sentence, {"type": "null"}]}
    if isinstance(field, Wait):
        return {"type": "string", "pattern": field.regex.pattern}
    if is_scalar in field.validators:
        return dict(_SCALAR)
    if isinstance(field, Input | Output | HostPattern):
        # No regular expression tells them: IP addresses have many spellings.
        return {"format": field.format}
    pattern = getattr(field, "regex", None)
    return {} if pattern is None else {"pattern": pattern.pattern}


def _without_null_default(
    _converter: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any], **_: Any
) -> dict[str, Any]:
    """What is left out is unknown here; that is no value that could be sent, unless null is allowed."""
    if ret.get("default", 0) is None and not field.allow_none:
        del ret["default"]
    return {}


def _metric(type_: type) -> dict[str, Any]:
    """The same as `common.result.check`."""
    if type_ is bool:
        return {"type": ["boolean", "null"]}
    if type_ is str:
        return {"type": ["string", "null"]}
    kind = "integer" if type_ is int else "number"
    return {"type": [kind, "null"], "minimum": 0, "maximum": MAX_INTEGER}
