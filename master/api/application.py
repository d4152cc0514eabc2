"""The application: Flask, and a short way past most of it for routes that answer JSON.

Flask makes a request, a session, a response and two contexts for each request, and a dozen signals. What
answers JSON needs none of these (`Route.direct`): it is asked for its answer, and that is sent.
Pages, files and streams go Flask's way. Both ways have the same front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Request, Response
from flask.ctx import RequestContext
from werkzeug.routing import MapAdapter

from common.logs import about
from master.api.answers import Answer
from master.api.exchange import CURRENT, Exchange, current
from master.api.front import Front
from master.api.routes import Matched, Routes, path_of
from master.pauses import Steps, in_thread
from master.worker.parked import PARKS, begin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Later:
    """What a view returns whose answer has to be waited for: the steps that end with it.

    They run with the view's exchange, as the view did.
    """

    __slots__ = ("steps",)

    def __init__(self, steps: Steps[Answer]) -> None:
        self.steps = steps

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """To Flask it is an application that waits in its thread."""
        return in_thread(self.steps)(environ, start_response)


class _Context(RequestContext):
    def match_request(self) -> None:
        """Flask's hook. The route is found already, if there is one; if not, Flask says why."""
        matched = current().matched
        if matched is None:
            super().match_request()
        else:
            self.request.url_rule, self.request.view_args = matched.rule, dict(matched.arguments)


class FarmFlask(Flask):
    """See the module."""

    front: Front
    routes: Routes
    refused: Callable[[Exception], Answer]
    """Answers for a direct route that has failed."""

    def serve(self, front: Front, refused: Callable[[Exception], Answer]) -> None:
        """All routes are there: requests may come."""
        self.front, self.refused, self.routes = front, refused, Routes(self)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Flask's hook. Where the server cannot park an answer (`PARKS`), its thread waits."""
        exchange = Exchange(environ, self.extensions, self.routes.find(environ))

        def begin_answer(status: str, headers: list[tuple[str, str]], *how: Any) -> Callable[[bytes], object]:
            return start_response(status, self.front.end(exchange, status, headers), *how)

        matched = exchange.matched
        if matched is None or not matched.route.direct or environ["REQUEST_METHOD"] == "OPTIONS":
            return self._by_flask(exchange, begin_answer)
        steps = self._directly(exchange, matched, begin_answer)
        return begin(steps) if environ.get(PARKS) else in_thread(steps)

    def make_response(self, rv: Any) -> Response:
        """Flask's hook: views that it calls may answer as others do."""
        if isinstance(rv, Answer):
            rv = Response(rv.body, rv.status, rv.headers)
        return super().make_response(rv)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Flask's hook, called for each of its steps: none of ours is a coroutine."""
        return func

    def request_context(self, environ: WSGIEnvironment) -> RequestContext:
        """Flask's hook."""
        return _Context(self, environ)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Flask's hook. We have no subdomains, and routes go by no names of hosts."""
        if request is None:
            return super().create_url_adapter(request)
        environ = request.environ
        return MapAdapter(
            self.url_map,
            environ.get("HTTP_HOST") or "localhost",
            "/",
            "",
            environ["wsgi.url_scheme"],
            path_of(environ),
            environ["REQUEST_METHOD"],
            environ.get("QUERY_STRING", ""),
        )

    def _by_flask(self, exchange: Exchange, start_response: StartResponse) -> Iterable[bytes]:
        token = CURRENT.set(exchange)
        try:
            with about(request_id=exchange.request_id):
                return super().wsgi_app(exchange.environ, start_response)
        finally:
            CURRENT.reset(token)

    def _directly(
        self, exchange: Exchange, matched: Matched, start_response: StartResponse
    ) -> Steps[Iterable[bytes]]:
        token = CURRENT.set(exchange)
        try:
            with about(request_id=exchange.request_id):
                try:
                    self.front.admit(exchange)
                    found: Answer | Later = matched.route.view(**matched.arguments)
                    answer = (yield from found.steps) if isinstance(found, Later) else found
                except Exception as error:  # noqa: BLE001 - whatever it is, it is answered
                    answer = self.refused(error)
                return answer(exchange.environ, start_response)
        finally:
            CURRENT.reset(token)
