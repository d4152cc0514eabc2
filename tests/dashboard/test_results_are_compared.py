"""Results are chosen and compared: plot, table and CSV say the same."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import expect

from tests.api.corner import Corner, got
from tests.dashboard.conftest import Open
from tests.dashboard.looks import look
from tests.masters import Client


def result(corner: Corner, preset: str, bitrate: int, vmaf: float, speed: float) -> str:
    _, claimed = corner.start(parameters={"preset": preset, "bitrate": f"{bitrate // 1000}k"})
    metrics = {"bitrate": bitrate, "vmaf_mean": vmaf, "speed": speed, "preset": preset, "encoder": "libx264"}
    got(corner.report(claimed, metrics={**metrics, "width": 1280, "height": 720, "duration": 10.0}))
    return str(claimed["id"])


@pytest.fixture
def two(corner: Corner) -> list[str]:
    return [result(corner, "fast", 1_000_000, 81.25, 4.5), result(corner, "slow", 2_000_000, 92.5, 1.25)]


def test_two_results_are_drawn_as_the_table_has_them(visit: Open, two: list[str]) -> None:
    page = visit("/ui/compare")
    for job_id in two:
        page.get_by_label(f"Mark job {job_id[:8]}").check()
    page.get_by_role("button", name="Compare the marked ones").click()
    rows = page.get_by_role("region", name="Results").locator("tbody tr")
    expect(rows).to_have_count(2)
    fast = rows.filter(has=page.get_by_text(two[0][:8]))
    expect(fast).to_contain_text("81.25")
    expect(fast).to_contain_text("1,000")
    expect(rows.filter(has=page.get_by_text(two[1][:8]))).to_contain_text("92.50")
    names = page.locator(".plot .mark title").all_text_contents()
    assert names == [
        "h264 · fast, 1,000 kbit/s: VMAF 81.25 at 1,000 kbit/s",
        "h264 · slow, 2,000 kbit/s: VMAF 92.50 at 2,000 kbit/s",
    ]
    left, right = (page.locator(".plot .mark").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert (left["x"] < right["x"], left["y"] > right["y"]) == (True, True)
    assert page.locator("dl.bars dd").all_inner_texts() == ["4.50", "1.25"]


def test_the_csv_has_the_same_numbers_and_leaves_unknown_ones_empty(client: Client, two: list[str]) -> None:
    answer = client.get("/ui/compare.csv", params={"job_id": two})
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["job_id"], row["vmaf"], row["speed"], row["energy"]) for row in rows] == [
        (two[0], "81.25", "4.5", ""),
        (two[1], "92.5", "1.25", ""),
    ]


def test_the_newest_of_a_scenario_are_found_and_bounded(client: Client) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get("/ui/compare.csv").text)))
    assert 0 < len(rows) <= 200


@pytest.mark.parametrize("query", ["what=1", "ids=" + "+".join(str(n) for n in range(201))])
def test_what_is_asked_wrongly_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"/ui/compare?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text


@pytest.fixture
def curves(corner: Corner) -> list[str]:
    """Two ways with four points each, of which the slow one has the same quality with half the bits, and a
    third one with too few.
    """
    ids = []
    for n, vmaf in enumerate((60.0, 75.0, 86.0, 93.0)):
        rate = 500_000 * 2**n
        ids.append(result(corner, "fast", rate, vmaf, 4.0))
        ids.append(result(corner, "slow", rate // 2, vmaf, 1.0))
    return [*ids, result(corner, "medium", 700_000, 70.0, 2.0)]


def test_bits_for_the_same_quality_are_compared_where_there_are_four_points(
    visit: Open, curves: list[str]
) -> None:
    page = visit(f"/ui/compare?ids={'+'.join(curves)}")
    rows = page.locator("#rates tbody tr")
    expect(rows).to_have_count(3)
    told = [text.replace("\t", " ") for text in rows.all_inner_texts()]
    (number,) = [text for text in told if "50.0 % fewer bits" in text]
    assert "h264 · slow" in number.partition("50.0 % fewer bits")[0]
    assert "h264 · fast" in number.partition("50.0 % fewer bits")[2]
    assert "60.0 to 93.0" in number
    assert sum("– not enough points" in text and "each needs 4" in text for text in told) == 2


def test_a_page_without_script_has_them_too(client: Client, curves: list[str]) -> None:
    plain = client.get("/ui/compare", params={"ids": " ".join(curves)}).text
    assert "They are being worked out." in plain
    assert (
        "50.0 % fewer bits" in client.get("/ui/compare", params={"ids": " ".join(curves), "rates": "1"}).text
    )


def test_one_way_is_compared_with_nothing(client: Client, two: list[str]) -> None:
    assert "BD-rate" not in client.get("/ui/compare", params={"ids": two[0]}).text


def test_nothing_is_wrong_with_the_rates(visit: Open, curves: list[str]) -> None:
    look(visit, f"/ui/compare?rates=1&ids={'+'.join(curves)}")


def test_nothing_is_wrong_with_the_page(visit: Open, two: list[str]) -> None:
    look(visit, f"/ui/compare?ids={two[0]}+{two[1]}")
