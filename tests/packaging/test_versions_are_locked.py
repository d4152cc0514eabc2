"""constraints.txt pins exactly one version of everything that setup.cfg asks for."""

from __future__ import annotations

import configparser
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import ROOT


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {canonicalize_name(name): version for name, version in pairs}


def requirements() -> list[Requirement]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    lines = (line.strip() for text in texts for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_every_requirement_has_a_pin_that_satisfies_it() -> None:
    locked = pins()
    wrong = [
        str(wanted)
        for wanted in requirements()
        if not wanted.specifier.contains(locked.get(canonicalize_name(wanted.name), "0"))
    ]
    assert wrong == [], "run make lock"


def test_what_the_requirements_need_themselves_is_pinned_too() -> None:
    locked = pins()
    unpinned = set()
    for name in locked:
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # another environment than make setup's; there, everything is installed
        for need in map(Requirement, needs):
            if (need.marker is None or need.marker.evaluate({"extra": ""})) and (
                canonicalize_name(need.name) not in locked
            ):
                unpinned.add(f"{need} (for {name})")
    assert unpinned == set(), "run make lock"
