"""A name that a page reads and nobody gives to it is a mistake, and is never drawn as nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError, meta, nodes

from common.model import JobStatus
from tests.core.support import finish, must_claim, register, submit
from tests.dashboard.drawn import Drawn
from tests.docs.markdown import ROOT

FUNCTIONS = {"url_for", "get_flashed_messages"}
"""Flask's own, which are known everywhere."""
PAGES = ROOT / "master/api/dashboard/pages"
NOT_DRAWN = {"base.html", "macros.html", "searching.html"}
"""What is drawn as a part of others, and what is only seen in a very large archive."""


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def read_by(drawn: Drawn, template: str) -> set[str]:
    """The names that a template and those that it extends read from what they are given."""
    env = drawn.app.jinja_env
    assert env.loader is not None
    tree = env.parse(env.loader.get_source(env, template)[0])
    own = {each.target for each in tree.find_all(nodes.Import)} | {m.name for m in tree.find_all(nodes.Macro)}
    own |= {each.target.name for each in tree.find_all(nodes.Assign) if isinstance(each.target, nodes.Name)}
    parents = [each.template for each in tree.find_all(nodes.Extends)]
    inherited = [read_by(drawn, each.value) for each in parents if isinstance(each, nodes.Const)]
    return (meta.find_undeclared_variables(tree) - own).union(*inherited)


@pytest.mark.parametrize(
    "text", ["{{ jbo.id }}", "{{ job.jd }}", "{% if jbo %}{% endif %}", "{{ job.no.id }}"]
)
def test_a_misspelt_name_fails(drawn: Drawn, text: str) -> None:
    assert drawn.app.jinja_env.from_string("{{ job.id }}").render(job={"id": 1}) == "1"
    with pytest.raises(UndefinedError):
        drawn.app.jinja_env.from_string(text).render(job={"id": 1})


def test_each_page_is_given_every_name_that_it_reads_in_any_state(drawn: Drawn) -> None:
    farm = drawn.farm
    node_id = register(farm)
    failed, archived = submit(farm), submit(farm)
    finish(farm, must_claim(farm, node_id), JobStatus.FAILED)
    finish(farm, must_claim(farm, node_id))
    drawn.archive()
    finished, runs, waits = submit(farm), submit(farm), submit(farm)
    finish(farm, must_claim(farm, node_id))
    must_claim(farm, node_id)
    jobs = [f"/ui/jobs/{job_id}" for job_id in (failed, archived, finished, runs, waits)]
    paths = [
        "/",
        "/ui/jobs",
        "/ui/jobs?status=failed&new=1",
        "/ui/jobs?done=cancel",
        f"/ui/jobs?job={runs}",
        f"/ui/nodes/{node_id}",
        "/ui/compare",
        *jobs,
    ]
    with drawn.sources() as sources:
        for path in paths:
            assert drawn.get(path)[0] == 200, path
        assert drawn.get("/ui/jobs/nothing")[0] == 404
        assert drawn.get("/ui/compare?no=such")[0] == 400
        assert drawn.get("/", signed_in=False)[0] == 401
    for template, given in sources:
        known = given.keys() | drawn.app.jinja_env.globals.keys() | FUNCTIONS
        assert read_by(drawn, template) - known == set(), template
    ours = {path.name for path in PAGES.glob("*.html")}
    assert ours - {name for name, _ in sources} == NOT_DRAWN
