"""Media types (RFC 6838) of files by their names: those of video first, which differ between systems."""

from __future__ import annotations

import mimetypes

_OURS = {
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".m4a": "audio/mp4",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".ts": "video/mp2t",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
    ".webp": "image/webp",
}


def media_type_of(name: str) -> str | None:
    """What a file of this name is; None if the name does not tell."""
    dot = name.rfind(".")
    ours = _OURS.get(name[dot:].lower()) if dot > 0 else None
    return ours or mimetypes.types_map.get(name[dot:].lower() if dot > 0 else "")
