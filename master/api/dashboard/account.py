"""Signing in and out."""

from __future__ import annotations

from flask import Response, current_app, request

from common import problems
from common.schema import SignInSchema
from master.api.dashboard.page import STILL_POLICY, back_to, blueprint, form, page
from master.auth import Gate
from master.sessions import COOKIE, LIFE

MAX_FORM = 4096
"""Bytes that the form may have: a token is shorter."""


def _gate() -> Gate:
    found: Gate = current_app.extensions["gate"]
    return found


@blueprint.post("/sign-in")
def sign_in() -> Response:
    """Open a session for who shows a token of a person."""
    try:
        token = form(SignInSchema, MAX_FORM)["token"].strip()
        value = _gate().sign_in(token, request.remote_addr)
    except problems.Problem as problem:
        return page("sign_in.html", 401, STILL_POLICY, error=problem.detail)
    response = back_to("/")
    response.set_cookie(COOKIE, value, max_age=int(LIFE), secure=True, httponly=True, samesite="Strict")
    return response


@blueprint.post("/sign-out")
def sign_out() -> Response:
    """Close the session."""
    _gate().sessions.end(request.headers.get("Cookie", ""))
    response = back_to("/")
    response.delete_cookie(COOKIE, secure=True, httponly=True, samesite="Strict")
    return response
