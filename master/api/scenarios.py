"""The scenario catalogue."""

from __future__ import annotations

from flask import Blueprint

from common.documents import ScenariosSchema
from common.scenarios import CATALOGUE
from master.api.answers import Answer, json_answer
from master.api.described import describe
from master.api.documents import scenario_document

blueprint = Blueprint("scenarios", __name__)


@blueprint.get("/scenarios")
@describe(ScenariosSchema)
def all_scenarios() -> Answer:
    """Every scenario that a job may name."""
    scenarios = [scenario_document(scenario) for scenario in CATALOGUE]
    return json_answer({"scenarios": scenarios, "count": len(scenarios)})
