"""The Flask application class: a view may answer later, and hold no thread until then."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Flask, Response

from master.pauses import Steps, in_thread
from master.worker.parked import PARKS, begin

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Later:
    """What a view returns whose answer has to be waited for: the steps that end with it.

    They run with the view's request, as the view did.
    """

    __slots__ = ("steps",)

    def __init__(self, steps: Steps[Response]) -> None:
        self.steps = steps

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """To any other Flask it is an application that waits in its thread."""
        return in_thread(self.steps)(environ, start_response)


class FarmFlask(Flask):
    """Flask's own way through a request, with pauses in it."""

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Flask's hook. Where the server cannot park an answer (`PARKS`), its thread waits."""
        steps = self._answer(environ, start_response)
        return begin(steps) if environ.get(PARKS) else in_thread(steps)

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Steps[Iterable[bytes]]:
        ctx = self.request_context(environ)
        error: BaseException | None = None
        try:
            try:
                ctx.push()
                found = self._found()
                if isinstance(found, Later):
                    found = yield from self._found_later(found)
                response: Response = self.finalize_request(found)
            except Exception as mistake:  # noqa: BLE001 - as Flask does
                error = mistake
                response = self.handle_exception(mistake)
            return response(environ, start_response)
        except BaseException:
            error = sys.exc_info()[1]
            raise
        finally:
            if error is not None and self.should_ignore_error(error):
                error = None
            ctx.pop(error)

    def _found(self) -> Any:
        """What the view answers, or a hook or an error handler in its place."""
        try:
            found = self.preprocess_request()
            return self.dispatch_request() if found is None else found
        except Exception as mistake:  # noqa: BLE001 - as Flask does
            return self.handle_user_exception(mistake)

    def _found_later(self, later: Later) -> Steps[Any]:
        try:
            return (yield from later.steps)
        except Exception as mistake:  # noqa: BLE001 - as Flask does
            return self.handle_user_exception(mistake)
