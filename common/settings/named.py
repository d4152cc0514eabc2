"""What the name of an output says of its container. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from common.model import Value
from common.settings.containers import CONTAINERS
from common.settings.errors import UnsuitableError

_FILES = {usual.suffix: name for name, usual in CONTAINERS.items() if not usual.pieces}
_PLAYLISTS = {usual.suffix: name for name, usual in CONTAINERS.items() if usual.pieces}


def with_named_container(parameters: Mapping[str, Value], output: str | None) -> Mapping[str, Value]:
    """The parameters, with the container that the output's name says where they ask for none.

    `UnsuitableError` if they ask for another one: nobody expects an MP4 in what is named `.mkv`. Names
    that say nothing that we make are just names.
    """
    if output is None or not output.startswith("media:"):
        return parameters
    suffix = output.rpartition("/")[2].rpartition(".")[2].lower()
    asked = parameters.get("container")
    if suffix in _PLAYLISTS:
        raise UnsuitableError(
            "container",
            f"{_PLAYLISTS[suffix]} is several files: name their directory as output, not .{suffix}",
        )
    named = _FILES.get(suffix)
    if named is None or parameters.get("ladder") or (asked is not None and CONTAINERS[str(asked)].pieces):
        return parameters
    if asked is None:
        return {**parameters, "container": named}
    if asked != named:
        raise UnsuitableError("container", f"the output is named .{suffix}, which says {named}, not {asked}")
    return parameters
