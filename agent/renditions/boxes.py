"""The names of codecs (RFC 6381) from the beginning of an MP4 file. Pure.

Boxes are those of ISO/IEC 14496-12; what is in a decoder's configuration is in 14496-15 (H.264,
H.265), in the AV1 and VP9 bindings to that format, and in 14496-1 (AAC). What is cut off or makes
no sense gives no name: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Box = tuple[str, bytes]

_INTO = {"moov", "trak", "mdia", "minf", "stbl"}
_BEFORE_FIELDS = {"vide": 78, "soun": 28}
"""Bytes of a sample entry before the boxes in it."""


def boxes(data: bytes) -> Iterator[Box]:
    """The boxes that lie one behind the other in `data`, each without its head; not what is cut off."""
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1 and at + 16 <= len(data):
            size, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if size < head or at + size > len(data):
            return
        yield data[at + 4 : at + 8].decode("latin-1"), data[at + head : at + size]
        at += size


def codec_names(data: bytes) -> list[str]:
    """The name of each track's codec in the head of an MP4 file, in the file's order."""
    found = []
    for entry in _sample_entries(data):
        name = _name_of(entry)
        if name is not None:
            found.append(name)
    return found


def _sample_entries(data: bytes) -> Iterator[Box]:
    for kind, content in boxes(data):
        if kind in _INTO:
            yield from _sample_entries(content)
        elif kind == "stsd":
            yield from boxes(content[8:])  # after version, flags and the number of entries


def _name_of(entry: Box) -> str | None:
    kind, content = entry
    for wanted, before, config, name in _KNOWN:
        if kind in wanted:
            inner = dict(boxes(content[before:]))
            try:
                return name(kind, inner[config])
            except (KeyError, IndexError):
                return None
    return None


def _avc(kind: str, config: bytes) -> str:
    return f"{kind}.{config[1]:02x}{config[2]:02x}{config[3]:02x}"


def _hevc(kind: str, config: bytes) -> str:
    """ISO/IEC 14496-15, annex E: the compatibility flags in reverse, trailing zero bytes left out."""
    space = ("", "A", "B", "C")[config[1] >> 6]
    flags = int(f"{int.from_bytes(config[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if config[1] & 0x20 else "L"
    constraints = "".join(f".{byte:X}" for byte in config[6:12].rstrip(b"\0"))
    return f"{kind}.{space}{config[1] & 0x1F}.{flags:X}.{tier}{config[12]}{constraints}"


def _av1(kind: str, config: bytes) -> str:
    high, twelve = config[2] & 0x40, config[2] & 0x20
    depth = 12 if high and twelve else 10 if high else 8
    tier = "H" if config[2] & 0x80 else "M"
    return f"{kind}.{config[1] >> 5}.{config[1] & 0x1F:02d}{tier}.{depth:02d}"


def _vp9(kind: str, config: bytes) -> str:
    """After version and flags: profile, level, and the depth in the upper half of a byte."""
    return f"{kind}.{config[4]:02d}.{config[5]:02d}.{config[6] >> 4:02d}"


def _aac(kind: str, config: bytes) -> str:
    """The object type and the audio object type, from the descriptors behind version and flags."""
    decoder = _descriptor(_descriptor(config[4:], 3)[3:], 4)
    specific = _descriptor(decoder[13:], 5)
    return f"{kind}.{decoder[0]:x}.{specific[0] >> 3}"


def _descriptor(data: bytes, tag: int) -> bytes:
    """The content of the descriptor with `tag` at the beginning of `data`; IndexError if it is none."""
    if data[0] != tag:
        raise IndexError(tag)
    at = 1
    while data[at] & 0x80:
        at += 1
    return data[at + 1 :]


_Name = Callable[[str, bytes], str]
_KNOWN: tuple[tuple[tuple[str, ...], int, str, _Name], ...] = (
    (("avc1", "avc3"), _BEFORE_FIELDS["vide"], "avcC", _avc),
    (("hvc1", "hev1"), _BEFORE_FIELDS["vide"], "hvcC", _hevc),
    (("av01",), _BEFORE_FIELDS["vide"], "av1C", _av1),
    (("vp09",), _BEFORE_FIELDS["vide"], "vpcC", _vp9),
    (("mp4a",), _BEFORE_FIELDS["soun"], "esds", _aac),
    (("Opus",), _BEFORE_FIELDS["soun"], "dOps", lambda _kind, _config: "opus"),
)
