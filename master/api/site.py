"""The pages for people: the farm at a glance, and signing in. No script, and nothing from other hosts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request

from common import problems
from common.model import Role
from common.schema import SignInSchema
from common.timestamps import timestamp
from master.api.answers import caller, farm
from master.api.browsers import PAGE_POLICY
from master.api.described import FORM, describe
from master.api.documents import job_document, node_document
from master.auth import PEOPLE, Gate
from master.origin import may_use_session
from master.service import jobs, nodes, queue
from master.sessions import COOKIE, LIFE

MAX_FORM = 4096
"""Bytes that the form may have: a token is shorter."""
SHOWN = 25
"""Jobs on the page; `GET /jobs` has all."""

blueprint = Blueprint("site", __name__, template_folder="pages")


def _gate() -> Gate:
    found: Gate = current_app.extensions["gate"]
    return found


@blueprint.get("/")
@describe(media_type="text/html")
def home() -> Response:
    """The farm at a glance for who is signed in; the form to sign in for everybody else."""
    if caller().role not in PEOPLE:
        return _page("sign_in.html", status=401)
    return _page("home.html", **_glance())


def _glance() -> dict[str, Any]:
    shown, _ = jobs.page(farm(), caller(), None, None, SHOWN)
    glance: dict[str, Any] = {
        "caller": caller().actor.name,
        "role": caller().role,
        "by_session": COOKIE in request.cookies,
        "jobs": [job_document(view) for view in shown],
        "now": timestamp(datetime.now(UTC)),
    }
    if caller().role is not Role.SUBMITTER:
        glance["queue"] = queue.get(farm())
        glance["nodes"] = [node_document(view) for view in nodes.all_nodes(farm())]
    return glance


@blueprint.get("/style.css")
@describe(media_type="text/css")
def style() -> Response:
    """How the pages look."""
    response = make_response(render_template("style.css"))
    response.content_type = "text/css; charset=utf-8"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@blueprint.post("/sign-in")
@describe(status=303, takes=SignInSchema, body_type=FORM, problems=(problems.CROSS_SITE, problems.TOO_LARGE))
def sign_in() -> Response:
    """Open a session for who shows a token of a person."""
    _from_our_page()
    request.max_form_memory_size = request.max_content_length = MAX_FORM
    try:
        value = _gate().sign_in(request.form.get("token", "").strip(), request.remote_addr)
    except problems.Problem as problem:
        return _page("sign_in.html", status=401, error=problem.detail)
    response = _back_home()
    response.set_cookie(COOKIE, value, max_age=int(LIFE), secure=True, httponly=True, samesite="Strict")
    return response


@blueprint.post("/sign-out")
@describe(status=303, body_type=FORM, problems=(problems.CROSS_SITE,))
def sign_out() -> Response:
    """Close the session."""
    _from_our_page()
    _gate().sessions.end(request.headers.get("Cookie", ""))
    response = _back_home()
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
    return response


def _from_our_page() -> None:
    """`cross_site` unless the form of our own page was sent: nobody is to be signed in as somebody else."""
    if not may_use_session(request.environ):
        raise problems.CROSS_SITE("This form is taken from the master's own page only.")


def _back_home() -> Response:
    response = redirect("/", 303)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return make_response(response)


def _page(template: str, status: int = 200, **values: Any) -> Response:
    response = make_response(render_template(template, **values), status)
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response
