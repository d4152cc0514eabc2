"""The Flask application: one shape for every answer and every error."""

from __future__ import annotations

import logging

from flask import Response, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from common import problems
from common.problems import Problem
from master.api import (
    audit,
    dashboard,
    docs,
    events,
    files,
    health,
    jobs,
    metrics,
    nodes,
    queue,
    results,
    scenarios,
    tokens,
    webhooks,
    work,
)
from master.api.answers import Answer, body_too_large, problem_answer
from master.api.application import FarmFlask
from master.api.dashboard.compiled import COMPILED
from master.api.exchange import current
from master.api.front import Front
from master.auth import Gate
from master.hosts import Hosts
from master.refusals import Refusals
from master.service import Farm

log = logging.getLogger(__name__)

_BY_STATUS = {
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    413: problems.TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
}


def create_app(farm: Farm, gate: Gate, hosts: Hosts) -> FarmFlask:
    """The application that serves `farm`, under the names in `hosts`, to those whom `gate` admits."""
    app = _empty_app()
    app.extensions["farm"] = farm
    app.extensions["gate"] = gate
    app.url_map.strict_slashes = False
    farms = (health, nodes, scenarios, jobs, queue, work, results, files, tokens, webhooks, audit, events)
    for module in (*farms, metrics, docs, dashboard):
        app.register_blueprint(module.blueprint)

    front = Front(farm, gate, hosts)
    refusals = Refusals()

    @app.before_request
    def _admit() -> None:
        front.admit(current())

    def _refuse(problem: Problem) -> Answer:
        if problem.type in (problems.UNAUTHENTICATED, problems.FORBIDDEN):
            address = str(current().environ.get("REMOTE_ADDR"))
            refusals.note(_route(), address, problem.type.slug, farm.clock().mono)
        return problem_answer(problem)

    def _refuse_by_flask(problem: Problem) -> Response | Answer:
        if request.blueprint != dashboard.blueprint.name:
            return _refuse(problem)
        # Who opens a page before signing in is a visitor, and gets the form.
        if request.method != "GET" or problem.type is not problems.UNAUTHENTICATED:
            _refuse(problem)
        return dashboard.refusal(problem)

    def _refused(error: Exception) -> Answer:
        return _refuse(error) if isinstance(error, Problem) else _mistake(error)

    app.register_error_handler(Problem, _refuse_by_flask)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _mistake)
    app.serve(front, _refused)
    return app


def compile_pages() -> None:
    """Compile the pages' templates in this process: the applications that it makes, or a process that is
    forked from it, find them compiled.
    """
    app = _empty_app()
    app.register_blueprint(dashboard.blueprint)
    dashboard.compile_pages(app)


def _empty_app() -> FarmFlask:
    app = FarmFlask(__name__, static_folder=None)
    # A name that nobody gives to a page is a mistake, and is not to be drawn as nothing.
    app.jinja_options = {**app.jinja_options, "undefined": StrictUndefined, "bytecode_cache": COMPILED}
    return app


def _route() -> str:
    """What was asked for, without what a caller wrote into the address: it may be anything."""
    return f"{current().environ['REQUEST_METHOD']} {current().template}"


def _http_error(error: HTTPException) -> Answer:
    """Flask's own refusals, in our shape."""
    type_ = _BY_STATUS.get(error.code or 500)
    if type_ is problems.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(getattr(error, "valid_methods", None) or []))
        answer = problem_answer(type_(f"{request.path} takes {allowed}, not {request.method}."))
        answer.add("Allow", allowed)
        return answer
    if type_ is problems.TOO_LARGE:
        return problem_answer(body_too_large(request.max_content_length))
    if type_ is problems.NOT_FOUND:
        return problem_answer(
            type_(f"There is nothing at {request.path}. See docs/api.md for what there is.")
        )
    if type_ is not None:
        return problem_answer(type_(error.description or error.name))
    if error.code is not None and error.code < 500:
        return problem_answer(problems.INVALID(error.description or error.name))
    return _mistake(error)


def _mistake(error: Exception) -> Answer:
    log.error("%s failed", _route(), exc_info=error)
    return problem_answer(
        problems.INTERNAL("The master made a mistake, and its log has the details. Nothing is half done.")
    )
