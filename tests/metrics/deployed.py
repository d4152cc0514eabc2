"""What is in deploy/ for Prometheus and Grafana."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.masters import ROOT

PROMETHEUS = ROOT / "deploy/prometheus"
ALERTS = PROMETHEUS / "alerts.yml"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy/grafana/ffmpeg-rtmp.json").read_text())
_NAME = re.compile(r"\b(?:ffrtmp|process|python)_[a-z_0-9]+\b")


def alerts() -> list[dict[str, Any]]:
    """All rules."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """All panels but the rows that group them."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Each question that the dashboard and the alerts ask, and where."""
    for panel in panels():
        for target in panel["targets"]:
            filled = target["expr"].replace("$__rate_interval", "1m").replace("$job", "ffrtmp-master")
            yield panel["title"], filled
    for rule in alerts():
        yield rule["alert"], rule["expr"]


def named(expression: str) -> set[str]:
    """The metrics that it asks for."""
    return set(_NAME.findall(expression))
