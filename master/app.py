"""The Flask application: one shape for every answer and every error."""

from __future__ import annotations

import logging

from flask import Flask, Response, g, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from common import problems
from common.model import Role
from common.problems import Problem
from master.api import (
    audit,
    browsers,
    dashboard,
    docs,
    events,
    files,
    health,
    jobs,
    metrics,
    neighbours,
    nodes,
    queue,
    results,
    scenarios,
    tokens,
    webhooks,
    work,
)
from master.api.answers import problem_response
from master.api.application import FarmFlask
from master.api.dashboard.compiled import COMPILED
from master.api.request_ids import follow_requests
from master.auth import Gate
from master.hosts import Hosts
from master.refusals import Refusals
from master.service import Caller, Farm
from master.worker.admission import KNOWN_CALLER

log = logging.getLogger(__name__)

_BY_STATUS = {
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    413: problems.TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
}


def create_app(farm: Farm, gate: Gate, hosts: Hosts) -> Flask:
    """The application that serves `farm`, under the names in `hosts`, to those whom `gate` admits."""
    app = _empty_app()
    app.extensions["farm"] = farm
    app.extensions["gate"] = gate
    app.url_map.strict_slashes = False
    farms = (health, nodes, scenarios, jobs, queue, work, results, files, tokens, webhooks, audit, events)
    for module in (*farms, metrics, docs, dashboard):
        app.register_blueprint(module.blueprint)

    # Before all others: what begins first also ends last.
    metrics.time_requests(app)
    follow_requests(app)

    @app.before_request
    def _admit() -> None:
        if request.endpoint is not None:
            g.caller = gate.identify(request.environ, request.endpoint)
            browsers.refuse_strange_hosts(hosts, g.caller)
            browsers.refuse_other_sites()
            request.environ[KNOWN_CALLER] = g.caller.role is not Role.ANYONE
            gate.admit(g.caller, request.endpoint)
            g.caller = neighbours.introduce(g.caller)
        else:
            browsers.refuse_strange_hosts(hosts, Caller(Role.ANYONE))

    app.after_request(neighbours.tell_history)
    app.after_request(browsers.secure)

    refusals = Refusals()

    def _refuse(problem: Problem) -> Response:
        if request.blueprint == dashboard.blueprint.name:
            # Who opens a page before signing in is a visitor, and gets the form.
            if request.method == "GET" and problem.type is problems.UNAUTHENTICATED:
                return dashboard.refusal(problem)
            refuse = dashboard.refusal
        else:
            refuse = problem_response
        if problem.type in (problems.UNAUTHENTICATED, problems.FORBIDDEN):
            refusals.note(_route(), str(request.remote_addr), problem.type.slug, farm.clock().mono)
        return refuse(problem)

    app.register_error_handler(Problem, _refuse)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _mistake)
    return app


def compile_pages() -> None:
    """Compile the pages' templates in this process: the applications that it makes, or a process that is
    forked from it, find them compiled.
    """
    app = _empty_app()
    app.register_blueprint(dashboard.blueprint)
    dashboard.compile_pages(app)


def _empty_app() -> Flask:
    app = FarmFlask(__name__, static_folder=None)
    # A name that nobody gives to a page is a mistake, and is not to be drawn as nothing.
    app.jinja_options = {**app.jinja_options, "undefined": StrictUndefined, "bytecode_cache": COMPILED}
    return app


def _route() -> str:
    """What was asked for, without what a caller wrote into the address: it may be anything."""
    return f"{request.method} {request.url_rule}"


def _http_error(error: HTTPException) -> Response:
    """Flask's own refusals, in our shape."""
    type_ = _BY_STATUS.get(error.code or 500)
    if type_ is problems.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
        response = problem_response(type_(f"{request.path} takes {allowed}, not {request.method}."))
        response.headers["Allow"] = allowed
        return response
    if type_ is problems.TOO_LARGE:
        return problem_response(type_(f"Here a body may have {request.max_content_length} bytes at most."))
    if type_ is problems.NOT_FOUND:
        return problem_response(
            type_(f"There is nothing at {request.path}. See docs/api.md for what there is.")
        )
    if type_ is not None:
        return problem_response(type_(error.description or error.name))
    if error.code is not None and error.code < 500:
        return problem_response(problems.INVALID(error.description or error.name))
    return _mistake(error)


def _mistake(error: Exception) -> Response:
    log.error("%s failed", _route(), exc_info=error)
    return problem_response(
        problems.INTERNAL("The master made a mistake, and its log has the details. Nothing is half done.")
    )
