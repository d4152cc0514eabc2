"""What is answered of stored files."""

from __future__ import annotations

from marshmallow import fields

from common.documents.parts import a_count, a_text, a_time, many, next_page, texts
from common.fields import OneOf, says
from common.model import UploadStatus
from common.schema import Strict


class FileDocumentSchema(Strict):
    """A file of the file store."""

    sha256 = a_text("its name: the SHA-256 of its content")
    size = a_count("bytes")
    name = a_text("what people call it", allow_none=True)
    media_type = a_text("what it is, as who put it said", allow_none=True)
    created_at = a_time("when it was put")
    used_at = a_time("when it was put, read or referred to last")
    owners = texts("submitters that it belongs to; a submitter sees itself only")


class FilesSchema(Strict):
    """A page of files, in the order of their hashes."""

    files = many(FileDocumentSchema)
    count = a_count("always null: to count them is to look at them all", allow_none=True)
    next = next_page()


class UploadSchema(Strict):
    """A file on its way in."""

    id = a_text("the upload's id; null: nothing needs to be sent", allow_none=True)
    sha256 = a_text("what was announced")
    size = a_count("bytes that were announced")
    offset = a_count("bytes that the master has on disk: go on there")
    status = OneOf(
        UploadStatus,
        required=True,
        **says("`receiving`; `checking`: all has come, and is read once more; `stored`"),
    )
    file = fields.Nested(
        FileDocumentSchema, required=True, allow_none=True, **says("the file, once it is stored")
    )
