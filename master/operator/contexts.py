"""The config file of `ffrtmp`: several masters by name, and which one is meant."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from common.address import parse_address

if TYPE_CHECKING:
    import yaml

KEYS = ("master", "ca_cert", "token_file")
"""What a context may say."""
_PATHS = ("ca_cert", "token_file")
_LARGEST = 1 << 20  # bytes


class ConfigError(ValueError):
    """The file cannot be used; the message names it, and the line if it is one."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the file says."""

    file: Path
    current: str | None = None
    contexts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By name; a path as it is written in the file."""

    def context(self, name: str) -> dict[str, str]:
        """A context, its paths absolute; `ConfigError` if there is none with that name."""
        if name not in self.contexts:
            known = ", ".join(self.contexts) or "none"
            raise ConfigError(f"there is no context {name!r} in {self.file}; it has: {known}")
        found = dict(self.contexts[name])
        for key in _PATHS:
            if key in found:
                found[key] = str(self.file.parent / Path(found[key]).expanduser())
        return found

    def with_context(self, name: str, values: Mapping[str, str]) -> Config:
        """The same with a context set; the first one becomes the current one."""
        current = self.current if self.contexts else name
        return replace(self, current=current, contexts={**self.contexts, name: dict(values)})

    def without(self, name: str) -> Config:
        """The same without a context; if it was the current one, none is."""
        left = {each: values for each, values in self.contexts.items() if each != name}
        return replace(self, current=None if self.current == name else self.current, contexts=left)

    def save(self) -> None:
        """Replace the file as a whole, mode 0600; OSError if that fails."""
        import yaml  # only who has a config file needs it, and who writes one

        from common.trust import write_private

        document = {"current": self.current, "contexts": {n: dict(v) for n, v in self.contexts.items()}}
        text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        write_private(self.file, text.encode())


def config_file() -> Path:
    """Where the file is, as the platform has it."""
    return Path(platformdirs.user_config_dir("ffmpeg-rtmp", appauthor=False)) / "config.yaml"


def load(file: Path) -> Config:
    """What `file` says; nothing if there is none. `ConfigError` if it cannot be used."""
    try:
        with file.open("rb") as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(_LARGEST + 1)
    except FileNotFoundError:
        return Config(file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}") from error
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ConfigError(
            f"{file}: others may write it, and so choose whom your token is shown to; chmod 600 {file}"
        )
    if len(data) > _LARGEST:
        raise ConfigError(f"{file}: it is larger than 1 MiB")
    return parse(file, data)


def parse(file: Path, data: bytes) -> Config:
    """What the text of `file` says; `ConfigError` with the line if it says something else than it may."""
    import yaml

    try:
        root = yaml.compose(data, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: {error.problem or 'it is no YAML'}") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{file}: it is no YAML in UTF-8") from error
    if root is None:
        return Config(file)
    reader = _Reader(file)
    top = reader.mapping(root, "the file", ("current", "contexts"))
    contexts: dict[str, dict[str, str]] = {}
    if "contexts" in top:
        for name, node in reader.entries(top["contexts"], "contexts"):
            values = reader.mapping(node, f"context {name!r}", KEYS)
            contexts[name] = {key: reader.text(value, key) for key, value in values.items()}
            reader.check(node, name, contexts[name])
    current = reader.text_or_none(top["current"], "current") if "current" in top else None
    if current is not None and current not in contexts:
        raise reader.error(top["current"], f"current: there is no context {current!r}")
    return Config(file, current, contexts)


class _Reader:
    """Takes YAML's nodes apart, since these know their lines."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def error(self, node: yaml.Node, problem: str) -> ConfigError:
        return ConfigError(f"{self._file}:{node.start_mark.line + 1}: {problem}")

    def entries(self, node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node]]:
        import yaml

        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"{what}: write names and values, as `name: value`")
        seen = set()
        for key, value in node.value:
            name = self.text(key, f"a name in {what}")
            if name in seen:
                raise self.error(key, f"{name} is there twice")
            seen.add(name)
            yield name, value

    def mapping(self, node: yaml.Node, what: str, allowed: tuple[str, ...]) -> dict[str, yaml.Node]:
        found = {}
        for name, value in self.entries(node, what):
            if name == "token":
                raise self.error(
                    value, "a token does not belong here; put it into a file, as token_file: FILE"
                )
            if name not in allowed:
                raise self.error(value, f"{what} has no {name!r}; it may have: {', '.join(allowed)}")
            found[name] = value
        return found

    def text(self, node: yaml.Node, what: str) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode) or node.tag.endswith(":null") or not node.value:
            raise self.error(node, f"{what}: write a text")
        return str(node.value)

    def text_or_none(self, node: yaml.Node, what: str) -> str | None:
        return None if node.tag.endswith(":null") else self.text(node, what)

    def check(self, node: yaml.Node, name: str, values: Mapping[str, str]) -> None:
        if "master" not in values:
            raise self.error(node, f"context {name!r} has no master; write master: https://HOST:8080")
        try:
            parse_address(values["master"])
        except ValueError as error:
            raise self.error(node, f"context {name!r}: {error}") from error
