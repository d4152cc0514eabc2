"""Which master is meant, and what it is shown: flags, environment, contexts, defaults, in this order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.address import Address, parse_address
from master.operator.contexts import KEYS, Config

DEFAULT_MASTER = "https://localhost:8080"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value and where it comes from."""

    value: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Target:
    """A master, and what is shown to it."""

    context: str | None
    settings: Mapping[str, Setting]
    """For each of `contexts.KEYS`."""

    @property
    def address(self) -> Address:
        """The master's."""
        return parse_address(self.settings["master"].value or DEFAULT_MASTER)

    def value(self, key: str) -> str | None:
        """The value of a setting; None if nobody gave one."""
        return self.settings[key].value


def choose(
    flags: Mapping[str, str | None],
    environment: Mapping[str, str | None],
    config: Config,
) -> Target:
    """The master that is meant; `ValueError` if a context is not there, or an address is none.

    `flags` and `environment` have `contexts.KEYS` and `context`. A context that was named by a flag beats
    the environment, as any flag does. Token and CA of a context are for its master alone: if another
    master was named, they are not used.
    """
    by_flag, by_environment = flags.get("context"), environment.get("context")
    name = by_flag or by_environment or config.current
    context = {} if name is None else config.context(name)
    label = f"context {name}"
    order: list[tuple[str, Mapping[str, Any]]] = [("flag", flags), ("environment", environment)]
    order.insert(1 if by_flag else 2, (label, context))
    master = _first("master", order) or Setting(DEFAULT_MASTER, "default")
    address = parse_address(str(master.value))
    if context and parse_address(context["master"]) != address:
        name, order = None, [source for source in order if source[0] != label]
    found = {key: _first(key, order) or Setting(None, "default") for key in KEYS}
    return Target(name, {**found, "master": master})


def _first(key: str, order: Iterable[tuple[str, Mapping[str, Any]]]) -> Setting | None:
    given = (Setting(str(values[key]), source) for source, values in order if values.get(key) is not None)
    return next(given, None)
