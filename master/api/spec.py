"""The OpenAPI document, made by apispec from the routes, their descriptions and their roles."""

from __future__ import annotations

import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from common import problems
from common.documents import ProblemSchema
from common.fields import StrictString
from common.model import Role
from common.problems import ProblemType
from common.schema import NothingSchema, is_id, is_sha256
from common.version import VERSION
from master.api.described import (
    HEARD,
    OCTETS,
    REQUEST_ID,
    RETRY_AFTER,
    SPEAKS,
    Description,
    Header,
    Link,
    description_of,
)
from master.api.json_schema import FarmPlugin

INTRODUCTION = """\
The farm's master. Agents, the `ffrtmp` command and everybody else use these addresses.

**Who may call.** Each operation names the roles that it serves. `Authorization: Bearer <token>` with the
operator token (the file `operator.token` in the master's state directory) makes an operator; with
what a node registered as its `credential` it makes that node. Without a credential, a program on the
master's machine is the operator if it calls `https://localhost`, `https://127.0.0.1` or `https://[::1]`,
runs as the master's user, as root or as a member of the group `ffrtmp`, and neither a proxy nor
another web site stands behind it; `--auth required` ends that. Everybody else is anyone.

**Bodies** are JSON in UTF-8. Types are strict, unknown fields are refused, and so are NaN, keys that occur
twice, integers beyond 64 bits, NUL characters, and nesting deeper than 32.

**Answers** are JSON. What is not known is `null`, never 0. Times are UTC, durations are seconds.

**Refusals** are `application/problem+json` (RFC 9457); `type` tells them apart.

**Pages.** A list takes `limit` and `after`: the `next` of the page before, which is null on the last.
"""
_BEARER = "bearer"
_VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_EVERY_ROUTE = (
    problems.INVALID,
    problems.CROSS_SITE,
    problems.PROTOCOL_MISMATCH,
    problems.UNKNOWN_HOST,
    problems.HEAD_TOO_LARGE,
    problems.INTERNAL,
    problems.UNAVAILABLE,
)
_EVERY_CREDENTIAL = (
    problems.UNAUTHENTICATED,
    problems.CREDENTIAL_EXPIRED,
    problems.CREDENTIAL_REVOKED,
    problems.TOKEN_EXPIRED,
    problems.TOKEN_REVOKED,
    problems.TOKEN_USED_UP,
)
_EVERY_BODY = (
    problems.MALFORMED_JSON,
    problems.TOO_SLOW,
    problems.TOO_LARGE,
    problems.UNSUPPORTED_MEDIA_TYPE,
)
_EVERY_ANSWER = {HEARD.name: "history", REQUEST_ID.name: "request_id"}
"""The headers of every answer, and what they are called among the components."""
_EXTRA_HEADERS: Mapping[int, tuple[Header, ...]] = {
    401: (Header("WWW-Authenticate", StrictString(), "`Bearer`"),),
    429: (RETRY_AFTER,),
    503: (RETRY_AFTER,),
}


def openapi(app: Flask, roles: Mapping[str, frozenset[Role]]) -> dict[str, Any]:
    """The document for the routes of `app`, which serve these `roles` by endpoint."""
    return _Writer(app, roles).document()


class _Writer:
    def __init__(self, app: Flask, roles: Mapping[str, frozenset[Role]]) -> None:
        self._app = app
        self._roles = roles
        self._plugin = FarmPlugin()
        self._spec = APISpec(
            title="ffmpeg-rtmp master",
            version=VERSION,
            openapi_version="3.1.0",
            plugins=[self._plugin],
            info={"description": INTRODUCTION},
        )

    def document(self) -> dict[str, Any]:
        self._spec.components.security_scheme(
            _BEARER,
            {
                "type": "http",
                "scheme": "bearer",
                "description": "The operator token, or a node's credential. Programs on the master's "
                "machine may need none: see the introduction.",
            },
        )
        self._spec.components.parameter("protocol", "header", self._parameter(SPEAKS, "header"))
        self._spec.components.parameter("request_id", "header", self._parameter(REQUEST_ID, "header"))
        self._spec.components.header("history", self._header(HEARD))
        self._spec.components.header("request_id", self._header(REQUEST_ID))
        by_path: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        tags: dict[str, str] = {}
        for rule in self._app.url_map.iter_rules():
            view = self._app.view_functions[rule.endpoint]
            described = description_of(view)
            if described is None:
                continue
            tags.setdefault(_tag(rule), _first_line(sys.modules[view.__module__]))
            by_path[_VARIABLE.sub(r"{\1}", rule.rule)][_method(rule)] = self._operation(rule, view, described)
        for name, text in tags.items():
            self._spec.tag({"name": name, "description": text})
        for path, operations in by_path.items():
            self._spec.path(path, operations=operations)
        made: dict[str, Any] = self._spec.to_dict()
        return made

    def _operation(self, rule: Rule, view: Callable[..., Any], described: Description) -> dict[str, Any]:
        roles = self._roles[rule.endpoint]
        summary, _, text = inspect.cleandoc(view.__doc__ or "").partition("\n")
        named = ", ".join(role for role in Role if role in roles)
        operation: dict[str, Any] = {
            "operationId": rule.endpoint,
            "tags": [_tag(rule)],
            "summary": summary.rstrip("."),
            "description": f"{text.strip()}\n\nRoles: {named}".strip(),
            "security": _security(described, roles),
            "parameters": self._parameters(rule, described),
            "responses": {
                str(status): self._answer(described)
                for status in ((described.status, 206) if described.partial else (described.status,))
            }
            | {
                **self._refusals(_refused(rule, described, roles)),
            },
        }
        if _takes_body(rule):
            operation["requestBody"] = {
                "required": not described.optional,
                "content": {described.body_type: {"schema": _body_schema(described)}},
            }
        return operation

    def _parameters(self, rule: Rule, described: Description) -> list[Any]:
        found: list[Any] = [
            {"in": "path", "name": name, "required": True, "schema": _path_schema(name)}
            for name in _VARIABLE.findall(rule.rule)
        ]
        if described.query is not None:
            found.append({"in": "query", "schema": described.query})
        found += [{"in": "header", **self._parameter(header, "header")} for header in described.headers]
        return [*found, "protocol", "request_id"]

    def _parameter(self, header: Header, place: str) -> dict[str, Any]:
        required = {"required": True} if header.field.required else {}
        return {"name": header.name, "in": place, **required, **self._header(header)}

    def _header(self, header: Header) -> dict[str, Any]:
        return {"description": header.text, "schema": self._plugin.property_of(header.field)}

    def _answer(self, described: Description) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "description": _first_line(described.answers) if described.answers else "Done.",
            "headers": {header.name: self._header(header) for header in described.answer_headers}
            | _EVERY_ANSWER,
        }
        if described.media_type is not None:
            answer["content"] = {described.media_type: {"schema": described.answers or {}}}
        if described.streams is not None:
            answer["content"][described.streams] = {"schema": {}}
        if described.links:
            answer["links"] = {link.to: _link(link) for link in described.links}
        return answer

    def _refusals(self, refused: list[ProblemType]) -> dict[str, Any]:
        by_status: defaultdict[int, list[ProblemType]] = defaultdict(list)
        for problem in refused:
            by_status[problem.status].append(problem)
        return {str(status): self._refusal(status, by_status[status]) for status in sorted(by_status)}

    def _refusal(self, status: int, types: list[ProblemType]) -> str:
        """The name of the response component for these problems, which is made if it is new."""
        name = "-".join(type_.slug for type_ in types)
        if name not in self._spec.components.responses:
            schema = {
                "allOf": [
                    self._plugin.reference_to(ProblemSchema),
                    {"properties": {"type": {"enum": [f"urn:ffrtmp:problem:{t.slug}" for t in types]}}},
                ]
            }
            headers = {
                each.name: {**self._header(each), "required": True} for each in _EXTRA_HEADERS.get(status, ())
            }
            self._spec.components.response(
                name,
                {
                    "description": "  \n".join(f"`{type_.slug}`: {type_.title}." for type_ in types),
                    "headers": {**headers, **_EVERY_ANSWER},
                    "content": {problems.MEDIA_TYPE: {"schema": schema}},
                },
            )
        return name


def _refused(rule: Rule, described: Description, roles: frozenset[Role]) -> list[ProblemType]:
    """All that a route may refuse, each once, in the order of the catalogue."""
    found = {*described.problems, *_EVERY_ROUTE}
    if Role.ANYONE not in roles:
        found.update(_EVERY_CREDENTIAL)
        if len(roles) < len(Role) - 1:
            found.add(problems.FORBIDDEN)
    if _takes_body(rule):
        found.update(_EVERY_BODY)
    return [type_ for type_ in problems.ALL if type_ in found]


def _security(described: Description, roles: frozenset[Role]) -> list[dict[str, list[str]]]:
    """A credential is needed, or (where it makes a difference who shows one) may be shown, or is ignored."""
    if Role.ANYONE not in roles:
        return [{_BEARER: []}]
    return [{_BEARER: []}, {}] if problems.UNAUTHENTICATED in described.problems else []


def _takes_body(rule: Rule) -> bool:
    return _method(rule) in ("post", "patch")


def _method(rule: Rule) -> str:
    (method,) = (rule.methods or set()) - {"HEAD", "OPTIONS"}
    return method.lower()


def _tag(rule: Rule) -> str:
    tag: str = rule.endpoint.partition(".")[0]
    return tag


def _first_line(described: Any) -> str:
    return inspect.cleandoc(described.__doc__ or "").partition("\n")[0]


def _body_schema(described: Description) -> Any:
    if described.body_type == OCTETS:
        return {"type": "string", "format": "binary"}
    return described.takes or NothingSchema


def _path_schema(name: str) -> dict[str, Any]:
    pattern = {"sha256": is_sha256}.get(name, is_id if name.endswith("_id") else None)
    return {"type": "string", **({} if pattern is None else {"pattern": pattern.regex.pattern})}


def _link(link: Link) -> dict[str, Any]:
    linked: dict[str, Any] = {
        "operationId": link.to,
        "parameters": {name: _expression(where) for name, where in link.parameters.items()},
    }
    if link.body:
        linked["requestBody"] = {name: _expression(where) for name, where in link.body.items()}
    return linked


def _expression(where: str) -> str:
    return where if where.startswith("$") else f"$response.body#{where}"
