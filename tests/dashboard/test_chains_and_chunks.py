"""A job's page names what it depends on and lists its chunks, each once; the list of jobs has none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from common.model import Divisible, Findings
from tests.core.support import AGENT, divisible, embedded, finish, must_claim, parts, register, submit, tell
from tests.dashboard.drawn import SECRET, Drawn


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def text_of(drawn: Drawn, job_id: str) -> str:
    status, text = drawn.get(f"/ui/jobs/{job_id}")
    assert status == 200
    return text


def links(text: str, title: str) -> list[str]:
    """The jobs that are linked behind a word of the list of facts."""
    _, there, rest = text.partition(f"<dt>{title}</dt>")
    return re.findall(r'href="/ui/jobs/([0-9a-f-]{36})"', rest.partition("</dd>")[0]) if there else []


def test_the_jobs_that_it_depends_on_are_links(drawn: Drawn) -> None:
    ids = [submit(drawn.farm) for _ in range(2)]
    text = text_of(drawn, submit(drawn.farm, depends_on=ids))
    assert links(text, "Depends on") == ids
    assert f"waits for 2 of 2 jobs: {ids[0]}, {ids[1]}" in text
    assert "Depends on" not in text_of(drawn, ids[0])


def test_of_very_many_the_first_are_named_and_the_others_counted(drawn: Drawn) -> None:
    ids = [submit(drawn.farm) for _ in range(23)]
    job_id = submit(drawn.farm, depends_on=ids)
    text = text_of(drawn, job_id)
    assert links(text, "Depends on") == ids[:20]
    assert f'<a href="/jobs/{job_id}">3 more</a>' in text


def test_an_archived_job_still_says_what_it_depended_on(drawn: Drawn) -> None:
    node = register(drawn.farm)
    first = submit(drawn.farm)
    last = submit(drawn.farm, depends_on=[first])
    for _ in range(2):
        finish(drawn.farm, must_claim(drawn.farm, node))
    drawn.archive()
    text = text_of(drawn, last)
    assert "from the archive" in text
    assert links(text, "Depends on") == [first]


def test_the_chunks_of_a_split_job_are_listed_and_counted(drawn: Drawn) -> None:
    node = register(drawn.farm, caller=AGENT, media_roots=["films"], max_concurrent_jobs=8)
    parent = submit(drawn.farm, input="media:films/a.mp4", parameters={"split": 4, "crf": 23})
    assert "parts-title" not in text_of(drawn, parent)
    finish(drawn.farm, must_claim(drawn.farm, node), findings=Findings(divisible=divisible()))
    for _ in range(3):
        finish(drawn.farm, must_claim(drawn.farm, node))
    text = text_of(drawn, parent)
    assert "waits for its parts: 2 of 4 chunks completed" in text
    listed = text.partition('id="parts-title"')[2].partition("</section>")[0]
    assert "3 of 5 completed" in listed
    for part in parts(drawn.farm, parent):
        assert f"/ui/jobs/{part.id}" in listed
        assert str(part.part) in listed
    assert "are shown" not in listed


def test_of_very_many_chunks_the_first_are_listed_and_all_counted(
    drawn: Drawn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("master.api.dashboard.job.MOST_PARTS", 3)
    node = register(drawn.farm, caller=AGENT, media_roots=["films"], max_concurrent_jobs=8)
    parent = submit(drawn.farm, input="media:films/a.mp4", parameters={"split": 4, "crf": 23})
    finish(drawn.farm, must_claim(drawn.farm, node), findings=Findings(divisible=divisible()))
    finish(drawn.farm, must_claim(drawn.farm, node))
    listed = text_of(drawn, parent).partition('id="parts-title"')[2].partition("</section>")[0]
    assert "1 of 5 completed" in listed
    assert listed.count('id="part-') == 3
    assert "The first 3 are shown" in listed
    assert f"/jobs?parent_id={parent}" in listed


def test_a_chunk_that_is_run_twice_is_listed_twice_and_counted_once(drawn: Drawn) -> None:
    fast, slow = (register(drawn.farm, caller=AGENT, media_roots=["films"]) for _ in range(2))
    parent = submit(drawn.farm, input="media:films/a.mp4", parameters={"split": 2, "crf": 23})
    plan = Findings(divisible=divisible(others=False))
    finish(drawn.farm, must_claim(drawn.farm, fast), findings=plan)
    quick, first = must_claim(drawn.farm, fast), must_claim(drawn.farm, slow)
    drawn.clock.advance(10)
    finish(drawn.farm, quick)
    tell(drawn.farm, first, 60.0)
    finish(drawn.farm, must_claim(drawn.farm, fast))
    listed = text_of(drawn, parent).partition('id="parts-title"')[2].partition("</section>")[0]
    assert "2 of 2 completed" in listed
    assert listed.count('id="part-') == 3
    assert listed.count("(twin)") == 1


def test_the_list_of_jobs_has_chunks_where_they_run_or_are_asked_for(drawn: Drawn) -> None:
    node = register(drawn.farm, caller=AGENT, media_roots=["films"])
    parent = submit(drawn.farm, input="media:films/a.mp4", parameters={"split": 2, "crf": 23})
    finish(drawn.farm, must_claim(drawn.farm, node), findings=Findings(divisible=divisible(others=False)))
    running = must_claim(drawn.farm, node).job

    def rows(address: str) -> set[str]:
        return set(re.findall(r'<tr id="job-([^"]+)"', drawn.get(address)[1]))

    chunks = {part.id for part in parts(drawn.farm, parent)}
    assert rows("/ui/jobs") == {parent}
    assert rows("/ui/jobs?parts=1") == {parent, *chunks}
    assert rows("/ui/jobs?status=pending") == {parent}
    assert rows("/ui/jobs?status=pending&parts=1") == {parent, *(chunks - {running.id})}
    assert rows("/ui/jobs?status=running") == {running.id}
    _, text = drawn.get("/ui/jobs?status=pending")
    assert 'href="/ui/jobs?status=pending&amp;parts=1"' in text
    assert ">all 1</a>" in text
    _, text = drawn.get("/ui/jobs?status=pending&parts=1")
    assert 'href="/ui/jobs?status=pending"' in text
    assert 'name="parts" value="1"' in text
    assert ">all 3</a>" in text


def test_a_file_that_was_encoded_whole_says_why(drawn: Drawn) -> None:
    node = register(drawn.farm, caller=AGENT, media_roots=["films"])
    job_id = submit(drawn.farm, input="media:films/a.mp4", parameters={"split": "auto", "crf": 23})
    plan = Findings(divisible=Divisible("it has no end"))
    finish(drawn.farm, must_claim(drawn.farm, node), findings=plan)
    finish(drawn.farm, must_claim(drawn.farm, node))
    text = text_of(drawn, job_id)
    assert '<p class="warn">it has no end</p>' in text
    assert "split_note" in text


def test_a_job_can_be_split_and_wait_for_others_when_it_is_submitted(drawn: Drawn) -> None:
    ids = [submit(drawn.farm) for _ in range(2)]

    def send(after: str) -> TestResponse:
        typed = {"scenario": "720p-h264", "input": "media:films/a.mp4", "split": "12", "depends_on": after}
        headers = {"Authorization": f"Bearer {SECRET}", "Sec-Fetch-Site": "same-origin"}
        return drawn.app.test_client().post("/ui/jobs", data=typed, headers=headers)

    assert send(f"{ids[0]}, {ids[1]}").status_code == 303
    (queued,) = [each for each in embedded(drawn.farm)._state.jobs.values() if each.id not in ids]
    assert (queued.depends_on, queued.parameters) == (tuple(ids), {"split": 12})
    for wrong in ("yesterday", "#0", "00000000-0000-4000-8000-000000000000"):
        text = send(wrong).get_data(as_text=True)
        assert 'id="error-depends_on"' in text
        assert f'value="{wrong}"' in text
    assert len(embedded(drawn.farm)._state.jobs) == 3
