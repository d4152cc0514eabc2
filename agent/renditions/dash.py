"""DASH manifests (ISO/IEC 23009-1): those of several encodes of one input become one. Pure.

The result has one adaptation set of pictures, with a representation of each manifest, and the sound
of the first: players then switch between sizes, and the sound goes on. What the files are is not
touched: only where they are is said anew, relative to the one manifest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, register_namespace, tostring  # nosec B405 # they parse nothing

from defusedxml import ElementTree  # type: ignore[import-untyped]  # it publishes no type information
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]  # likewise

from agent.renditions.hls import peak_and_average

_NAMESPACE = "urn:mpeg:dash:schema:mpd:2011"
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})", re.ASCII)
_NAMED = {
    "Initialization": ("sourceURL",),
    "SegmentURL": ("media",),
    "SegmentTemplate": ("media", "initialization"),
}
"""Where manifests name files, by element."""


class ManifestError(ValueError):
    """The text is no manifest that can be joined; the message says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest of one encode."""

    part: str
    """Its directory, relative to the joined one: also its representation's name."""
    text: str


def join(manifests: Sequence[Manifest]) -> str:
    """One manifest for all, in their order; `ManifestError` if one cannot be used."""
    first, *others = [_parsed(each) for each in manifests]
    pictures = _pictures(first, manifests[0].part)
    for manifest, other in zip(manifests[1:], others, strict=True):
        for each in _pictures(other, manifest.part).findall(_name("Representation")):
            pictures.append(each)
    sizes = [(int(each.get("width", 0)), int(each.get("height", 0))) for each in pictures]
    pictures.set("maxWidth", str(max(width for width, _ in sizes)))
    pictures.set("maxHeight", str(max(height for _, height in sizes)))
    # Each has a head of its own: a decoder cannot go on from one to the next without it.
    pictures.set("bitstreamSwitching", "false")
    register_namespace("", _NAMESPACE)  # each time: the table is everybody's, and others write to it, too
    register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(first, encoding="unicode") + "\n"


def _parsed(manifest: Manifest) -> Element:
    try:
        root: Element = ElementTree.fromstring(manifest.text, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise ManifestError(f"the manifest of {manifest.part} is no XML that we take: {error}") from error
    if root.tag != _name("MPD") or len(root.findall(_name("Period"))) != 1:
        raise ManifestError(f"the manifest of {manifest.part} is none of one period")
    for element in root.iter():
        _relocate(element, manifest.part)
    for number, each in enumerate(root.iter(_name("Representation"))):
        each.set("id", manifest.part if number == 0 else f"{manifest.part}-{number}")
        _measure(each)
    return root


def _relocate(element: Element, part: str) -> None:
    name = element.tag.removeprefix(f"{{{_NAMESPACE}}}") if isinstance(element.tag, str) else ""
    if name == "BaseURL":
        element.text = f"{part}/{(element.text or '').strip()}"
    for attribute in _NAMED.get(name, ()):
        if attribute in element.attrib:
            element.set(attribute, f"{part}/{element.attrib[attribute]}")


def _measure(representation: Element) -> None:
    """The bandwidth is that of the files, not what was asked of the encoder."""
    listed = representation.find(_name("SegmentList"))
    if listed is None:
        return
    # In a list it numbers nothing, and ffmpeg's player leaves out the first piece for it.
    listed.attrib.pop("startNumber", None)
    ranges = [_RANGE.fullmatch(each.get("mediaRange", "")) for each in listed.findall(_name("SegmentURL"))]
    seconds = int(listed.get("duration", 0)) / max(1, int(listed.get("timescale", 1)))
    sizes = [int(match[2]) - int(match[1]) + 1 for match in ranges if match is not None]
    if len(sizes) == len(ranges) and sizes and seconds > 0:
        peak, _ = peak_and_average(seconds, [(seconds, size) for size in sizes])
        representation.set("bandwidth", str(peak))


def _pictures(root: Element, part: str) -> Element:
    for each in root.iter(_name("AdaptationSet")):
        if each.get("contentType") == "video":
            return each
    raise ManifestError(f"the manifest of {part} has no pictures")


def _name(local: str) -> str:
    return f"{{{_NAMESPACE}}}{local}"
