"""The dashboard and the alerts ask Prometheus what it can answer, and each alert says what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.markdown import ROOT, anchor, headings
from tests.docs.tables import names, page, sections, table
from tests.metrics.deployed import ALERTS, DASHBOARD, PROMETHEUS, alerts, expressions, named, panels
from tests.metrics.promtool import promtool

SECTIONS = sections(page("metrics.md"))
_PARTS = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
_USUAL = {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}


def series() -> set[str]:
    """All names that a scrape has, as the table lists them (which a test compares with one)."""
    rows = [row for section in ("The master's", "The agent's") for row in table(SECTIONS[section], "metric")]
    found = set(_USUAL)
    for name, row in zip(names(rows), rows, strict=True):
        found |= {name + part for part in _PARTS.get(row[1], ("",))}
    return found


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_each_metric_that_is_asked_for_exists(where: str, expression: str) -> None:
    asked = named(expression)
    assert asked or "up{" in expression
    assert asked <= series(), where


def test_prometheus_understands_each_question(tmp_path: Path) -> None:
    rules = [{"record": f"q:{n}", "expr": asked} for n, (_, asked) in enumerate(expressions())]
    file = tmp_path / "questions.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "questions", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", str(file))


def test_the_alert_rules_pass_promtool() -> None:
    assert f"{len(alerts())} rules found" in promtool("check", "rules", str(ALERTS))


def test_the_alerts_fire_when_they_should_and_not_before() -> None:
    assert "SUCCESS" in promtool("test", "rules", str(PROMETHEUS / "alerts.test.yml"))


def test_each_alert_is_tried() -> None:
    tried = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    cases = [case for test in tried for case in test["alert_rule_test"]]
    fires = {case["alertname"] for case in cases if case["exp_alerts"]}
    assert fires == {rule["alert"] for rule in alerts()}


def test_the_example_of_a_configuration_passes_promtool(tmp_path: Path) -> None:
    for file in ("prometheus.yml", "alerts.yml"):
        (tmp_path / file).write_text((PROMETHEUS / file).read_text())
    for file in ("ffrtmp.token", "ffrtmp-ca.pem"):
        (tmp_path / file).touch()
    assert "SUCCESS" in promtool("check", "config", str(tmp_path / "prometheus.yml"))


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_leads_to_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    said = rule["annotations"]
    assert set(said) == {"summary", "description", "runbook"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    path, _, fragment = said["runbook"].partition("#")
    text = (ROOT / path).read_text()
    assert fragment in map(anchor, headings(text))
    section = text.split(f"### {rule['alert']}\n")[1].partition("\n### ")[0]
    assert _words(said["description"]) == _words(section)


def _words(text: str) -> list[str]:
    """Without links, which a page has and an alert has not."""
    return re.sub(r"\[\w+\]\(([\w.]+)\)", r"docs/\1", text).replace("`", "").split()


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids)) > 20
    assert {each["name"] for each in DASHBOARD["templating"]["list"]} == {"datasource", "job"}
    for panel in panels():
        assert panel["datasource"]["uid"] == "${datasource}"
        refs = [target["refId"] for target in panel["targets"]]
        assert len(refs) == len(set(refs)) > 0


def test_no_panel_lies_upon_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
