"""Stored files: put in pieces, got whole or in part."""

from __future__ import annotations

from flask import Blueprint, Response
from marshmallow import validate

from common import problems
from common.documents import FilesSchema, UploadSchema
from common.fields import StrictInteger
from common.schema import MAX_NUMBER, FileSchema
from master.api.answers import Answer, body, caller, farm, json_answer, no_body, octets, query
from master.api.content import RANGE, content_response
from master.api.described import CHUNK_BODY, OCTETS, Header, Link, describe
from master.api.documents import file_document, nothing_to_send, upload_document
from master.api.exchange import current
from master.api.queries import FilesQuery
from master.files import FileEntry
from master.service import files as service

blueprint = Blueprint("files", __name__)

OFFSET = Header(
    "Upload-Offset",
    StrictInteger(required=True, validate=validate.Range(0, MAX_NUMBER)),
    "Where in the file the body begins, in bytes.",
)
_MOST_DIGITS = 16


@blueprint.post("/files")
@describe(
    UploadSchema,
    takes=FileSchema,
    problems=(problems.FORBIDDEN, problems.FILES_FULL, problems.TOO_MANY, problems.WRONG_HASH),
    links=(
        Link("files.upload", {"upload_id": "/id"}),
        Link("files.abandon", {"upload_id": "/id"}),
        Link("files.content", {"sha256": "/file/sha256"}),
        Link("files.remove", {"sha256": "/file/sha256"}),
    ),
    slow=True,
)
def begin() -> Answer:
    """Announce a file that is to be stored; the answer says where to go on.

    If the caller has put it here before, nothing needs to be sent. The same announcement again
    finds the upload that it began: so an upload can be gone on with after any interruption.
    """
    begun = service.begin(farm(), caller(), body())
    owner = caller().owner
    if isinstance(begun, FileEntry):
        return json_answer(nothing_to_send(begun, owner))
    return json_answer(upload_document(begun, owner))


@blueprint.patch("/files/uploads/<upload_id>")
@describe(
    UploadSchema,
    body_type=OCTETS,
    most=CHUNK_BODY,
    headers=(OFFSET,),
    problems=(
        problems.FORBIDDEN,
        problems.UNKNOWN_UPLOAD,
        problems.WRONG_OFFSET,
        problems.WRONG_HASH,
        problems.FILES_FULL,
    ),
    slow=True,
)
def send(upload_id: str) -> Answer:
    """Send the next piece of a file, up to 8 MiB of bytes.

    After the last one the file is stored, if its hash is the announced one.
    """
    chunk = octets()
    upload = service.send(farm(), caller(), upload_id, _offset(), chunk)
    return json_answer(upload_document(upload, caller().owner))


@blueprint.get("/files/uploads/<upload_id>")
@describe(UploadSchema, problems=(problems.UNKNOWN_UPLOAD, problems.WRONG_HASH), slow=True)
def upload(upload_id: str) -> Answer:
    """How far an upload is."""
    return json_answer(upload_document(service.upload_of(farm(), caller(), upload_id), caller().owner))


@blueprint.delete("/files/uploads/<upload_id>")
@describe(status=204, problems=(problems.UNKNOWN_UPLOAD, problems.WRONG_HASH), slow=True)
def abandon(upload_id: str) -> Answer:
    """End an upload; nothing of it stays."""
    no_body()
    service.abandon(farm(), caller(), upload_id)
    return Answer()


@blueprint.get("/files")
@describe(FilesSchema, query=FilesQuery, slow=True)
def page() -> Answer:
    """Files that the caller may see, in the order of their hashes; a page of them."""
    asked = query()
    found, more = service.page(farm(), caller(), asked["sha256"], asked["after"], asked["limit"])
    return json_answer(
        {
            "files": [file_document(entry, caller().owner) for entry in found],
            "count": None,
            "next": found[-1].sha256 if more else None,
        }
    )


@blueprint.get("/files/<sha256>")
@describe(
    media_type="*/*", partial=True, headers=(RANGE,), problems=(problems.UNKNOWN_FILE, problems.WRONG_RANGE)
)
def content(sha256: str) -> Response:
    """The content of a file, or with `Range` a part of it."""
    entry, file = service.content(farm(), caller(), sha256)
    holding = entry.held_by(caller().owner) or entry.holdings[0]
    return content_response(entry, file, holding.media_type, holding.name or sha256)


@blueprint.delete("/files/<sha256>")
@describe(status=204, problems=(problems.UNKNOWN_FILE, problems.FILE_IN_USE), slow=True)
def remove(sha256: str) -> Answer:
    """Take a file away.

    A submitter takes away that it put it here; the file goes when nobody is left who did.
    """
    no_body()
    service.remove(farm(), caller(), sha256)
    return Answer()


def _offset() -> int:
    text = current().header(OFFSET.name) or ""
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise problems.invalid_field(
            OFFSET.name, "Must be a whole number: the bytes that stand before the body."
        )
    return int(text)
