"""The API's description of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, current_app, send_file

from common import problems
from master.api.described import JSON, describe
from master.api.spec import openapi as make_document
from master.auth import ROUTES

_PAGES = Path(__file__).parent / "pages"
# The official build of Swagger UI, which the package carries.
_SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
PAGE = _PAGES / "docs.html"
ASSETS: Mapping[str, Path] = {
    path.name: path
    for path in (
        _PAGES / "docs.css",
        _PAGES / "docs.js",
        _SWAGGER_UI / "favicon-32x32.png",
        _SWAGGER_UI / "swagger-ui-bundle.js",
        _SWAGGER_UI / "swagger-ui.css",
    )
}
"""What the page loads: nothing else is served, and nothing comes from another host."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The page's Content-Security-Policy: everything comes from the master. Swagger UI draws its icons from
`data:` addresses."""
blueprint = Blueprint("docs", __name__)


@blueprint.get("/openapi.json")
@describe(media_type=JSON, slow=True)
def openapi() -> Response:
    """This description, as OpenAPI 3.1."""
    made = current_app.extensions.get("openapi")
    if made is None:
        made = json.dumps(make_document(current_app, ROUTES), ensure_ascii=False).encode()
        current_app.extensions["openapi"] = made
    return Response(made, content_type=JSON)


@blueprint.get("/docs")
@describe(media_type="text/html", slow=True)
def page() -> Response:
    """This description, for people."""
    response = send_file(PAGE)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/docs/<asset>")
@describe(media_type="*/*", problems=(problems.NOT_FOUND,), slow=True)
def asset(asset: str) -> Response:
    """A part of the page: its script, style or icon."""
    path = ASSETS.get(asset)
    if path is None:
        raise problems.NOT_FOUND(f"The page /docs has no part {asset!r}.")
    return send_file(path)
