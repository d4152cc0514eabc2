"""The tests of each directory are spread over the whole run, and some directories are for one worker."""

from __future__ import annotations

from tests.conftest import TOGETHER, spread
from tests.masters import ROOT

TESTS = ROOT / "tests"


def test_files_of_a_small_directory_come_at_equal_distances_among_those_of_a_large_one() -> None:
    large = [TESTS / "core" / f"test_{number}.py" for number in range(8)]
    small = [TESTS / "system" / f"test_{number}.py" for number in range(2)]
    place = spread([*large, *small])
    assert sorted(place, key=lambda path: place[path]) == [
        *large[:2], small[0], *large[2:6], small[1], *large[6:]
    ]  # fmt: skip


def test_a_file_has_one_place_for_all_its_tests() -> None:
    file = TESTS / "core" / "test_a.py"
    assert spread([file, TESTS / "core" / "test_b.py", file]) == spread([file, TESTS / "core" / "test_b.py"])


def test_what_is_for_one_worker_comes_first() -> None:
    dear = [ROOT / TOGETHER[0] / f"test_{number}.py" for number in range(3)]
    place = spread([TESTS / "core" / "test_a.py", *dear])
    assert sorted(place, key=lambda path: place[path])[:3] == dear


def test_those_directories_are_there() -> None:
    assert all(list((ROOT / each).glob("test_*.py")) for each in TOGETHER)
