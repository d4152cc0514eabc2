"""What all pages share: how they are drawn, what a browser may do with them, how their forms are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, g, make_response, redirect, render_template, request, send_file
from markupsafe import Markup
from marshmallow import Schema, ValidationError, fields

from common import problems
from common.problems import Problem
from common.schema import flatten
from common.timestamps import timestamp
from master.api.answers import caller, farm, invalid
from master.api.dashboard import words
from master.api.dashboard.assets import asset_address, files
from master.auth import ROUTES
from master.lifecycle.audit import NAMES
from master.origin import may_use_session
from master.service import nodes
from master.sessions import COOKIE

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""The Content-Security-Policy of a page: all it loads are files of the master, and nothing is inline."""
STILL_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
"""The same for a page without script: signing in, and what a redirect says."""
MAX_FORM = 256 * 1024
"""Bytes that a form may have: a page of marked jobs fits."""
FOREVER = 365 * 86400
"""Seconds for which a browser may keep an asset: another content has another name."""
EVENTS = (*sorted(set(NAMES.values())), "progress")
"""The names of the events on which a page looks anew."""

blueprint = Blueprint("dashboard", __name__, template_folder="pages")
for _filter in (words.number, words.seconds, words.age, words.size, words.moment):
    blueprint.add_app_template_filter(_filter)


@blueprint.before_request
def _from_our_page() -> None:
    """`cross_site` unless a form of our own page was sent: nobody else is to act in a person's name."""
    if request.method == "POST" and not may_use_session(request.environ):
        raise problems.CROSS_SITE("This form is taken from the master's own page only.")


@blueprint.context_processor
def _known_to_all() -> dict[str, Any]:
    return {
        "asset": asset_address,
        "caller": caller(),
        "may": may,
        "node_link": node_link,
        "by_session": COOKIE in request.cookies,
        "now": timestamp(datetime.now(UTC)),
        "event_names": " ".join(EVENTS),
        "here": request.full_path.rstrip("?"),
    }


@blueprint.get("/ui/assets/<name>")
def asset(name: str) -> Response:
    """A style sheet, a script or a picture of the pages."""
    path = files().get(name)
    if path is None:
        raise problems.NOT_FOUND(f"The pages have no part {name!r}: reload the page.")
    response = send_file(path)
    response.headers["Cache-Control"] = f"public, max-age={FOREVER}, immutable"
    return response


def compile_pages(app: Flask) -> None:
    """Compile the templates of `app` now: the first who opens a page should not wait for it.

    Those that this process has compiled before are not compiled again: see `compiled.py`.
    """
    for name in app.jinja_env.list_templates(["html"]):
        app.jinja_env.get_template(name)


def may(endpoint: str) -> bool:
    """Whether the caller's role is served by an endpoint: what it may not do is not offered to it."""
    return caller().role in ROUTES.get(endpoint, ())


def node_names() -> Mapping[str, str]:
    """What people call each node, by its id; empty for those who see no nodes. Looked up once for a page."""
    if "node_names" not in g:
        g.node_names = nodes.names(farm()) if may("dashboard.node") else {}
    found: Mapping[str, str] = g.node_names
    return found


def node_link(node_id: str | None) -> str:
    """The node's name, which leads to its page; a part of its id where nobody knows it, or may."""
    if node_id is None:
        return words.UNKNOWN
    name = node_names().get(node_id)
    if name is None:
        return Markup('<code title="{}">{}</code>').format(node_id, node_id[:8])
    return Markup('<a href="/ui/nodes/{}" title="{}">{}</a>').format(node_id, node_id, name)


def page(template: str, status: int = 200, policy: str = POLICY, **values: Any) -> Response:
    """A page, under its `policy`."""
    response = make_response(render_template(template, **values), status)
    response.headers["Content-Security-Policy"] = policy
    return response


def back_to(address: str, **query: Any) -> Response:
    """The answer to a form that was carried out: the browser gets the page at `address`, of our own."""
    response = make_response(redirect(f"{address}?{urlencode(query)}" if query else address, 303))
    response.headers["Content-Security-Policy"] = STILL_POLICY
    return response


def form(schema: type[Schema], most: int = MAX_FORM) -> dict[str, Any]:
    """The form as `schema` has it, which may have lists; `invalid` names the field."""
    request.max_form_memory_size = request.max_content_length = most
    taken = schema()
    sent: dict[str, Any] = {
        name: values if isinstance(taken.fields.get(name), fields.List) else values[0]
        for name, values in request.form.lists()
    }
    try:
        loaded: dict[str, Any] = taken.load(sent)
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    return loaded


def asked(schema: type[Schema]) -> dict[str, Any]:
    """The query as `schema` has it; `invalid` names the parameter."""
    try:
        loaded: dict[str, Any] = schema().load(request.args.to_dict())
    except ValidationError as error:
        raise invalid(flatten(error.messages)) from error
    return loaded


def refusal(problem: Problem) -> Response:
    """A refusal as a page; who is not signed in gets the form to do so."""
    if problem.type.status == 401:
        to = request.full_path.rstrip("?") if request.method == "GET" else "/"
        return page("sign_in.html", 401, STILL_POLICY, error=None, to=to)
    response = page(
        "refusal.html", problem.type.status, STILL_POLICY, problem=problem, errors=_errors(problem)
    )
    if "retry_after" in problem.extra:
        response.headers["Retry-After"] = str(problem.extra["retry_after"])
    return response


def _errors(problem: Problem) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = problem.extra.get("errors", [])
    return found
