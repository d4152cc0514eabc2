"""A node gets the chunk that it finishes before the others have done all; twins go where they save time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from master.sharing import Done, Running, Waiting, again, paces, take

WEIGHTS = st.integers(1, 1000).map(float)
PACES = st.integers(1, 40).map(lambda tenths: tenths / 10)


def waiting(*weights: float) -> list[Waiting]:
    return [Waiting(f"w{number}", weight) for number, weight in enumerate(weights)]


def running(node_id: str, weight: float = 10.0, *, left: float | None = None, over: float = 0.0) -> Running:
    return Running(f"r-{node_id}", node_id, weight, over, left)


def test_the_pace_of_a_node_is_that_of_all_it_completed() -> None:
    done = [Done("a", 10, 20), Done("a", 30, 20), Done("b", 10, 10)]
    assert paces(done) == {"a": 1.0, "b": 1.0}


def test_of_a_node_that_completed_nothing_it_is_what_it_says_of_what_it_runs() -> None:
    at_work = [running("a", 10, over=5, left=15), running("b", 10, over=5, left=5), running("c", 10, over=5)]
    assert paces([Done("b", 10, 30)], at_work) == {"a": 2.0, "b": 3.0}


def test_whoever_asks_first_gets_the_largest() -> None:
    assert take("a", waiting(5, 9, 7), [], {}) == Waiting("w1", 9)


def test_a_node_that_nobody_else_helps_gets_the_largest_however_slow_it_is() -> None:
    assert take("a", waiting(5, 9), [running("a", left=5)], {"a": 1000.0}) == Waiting("w1", 9)


def test_a_slow_node_gets_the_largest_that_the_others_would_not_have_done_by_then() -> None:
    known = {"slow": 10.0, "fast": 1.0}
    at_work = [running("fast", left=10)]
    # The fast one is done with all of them after 10 + 9 + 5 + 3 = 27 seconds.
    assert take("slow", waiting(9, 3, 5), at_work, known) is None
    assert take("slow", waiting(9, 2, 5), at_work, known) == Waiting("w1", 2)


def test_a_slow_node_helps_as_long_as_there_is_enough_to_do() -> None:
    known = {"slow": 10.0, "fast": 1.0}
    assert take("slow", waiting(*[9.0] * 20), [running("fast", left=1)], known) == Waiting("w0", 9)


def test_a_node_of_which_nothing_was_heard_is_not_waited_for() -> None:
    hangs = Running("r", "fast", 10, 5, 5, silent=True)
    assert take("slow", waiting(9), [hangs], {"slow": 10.0, "fast": 1.0}) == Waiting("w0", 9)


def test_an_idle_node_runs_again_what_would_end_last() -> None:
    known = {"idle": 1.0, "a": 10.0, "b": 10.0}
    at_work = [running("a", left=60), running("b", left=90)]
    assert again("idle", at_work, known) == at_work[1]


@pytest.mark.parametrize(
    "at_work",
    [
        running("a", left=10.9),  # hardly longer than here
        running("a", weight=0.1, left=5.0),  # not worth the trouble
        running("idle", left=90),
        Running("r", "a", 10, 0, 90, twinned=True),
    ],
)
def test_nothing_is_run_again_that_would_not_be_done_clearly_sooner(at_work: Running) -> None:
    assert again("idle", [at_work], {"idle": 1.0, "a": 10.0}) is None


def test_what_hangs_is_run_again_also_by_a_slower_node() -> None:
    hangs = Running("r", "fast", 10, 5, 5, silent=True)
    assert again("slow", [hangs], {"slow": 100.0, "fast": 1.0}) == hangs


def test_a_slow_node_leaves_it_to_one_that_is_soon_done_and_ends_sooner() -> None:
    known = {"slow": 10.0, "fast": 1.0, "gone": 1.0}
    hangs = Running("r", "gone", 10, 5, 5, silent=True)
    assert again("slow", [hangs, running("fast", left=80)], known) is None
    assert again("slow", [hangs, running("fast", left=91)], known) == hangs


def test_what_has_taken_longer_than_it_should_is_not_believed_to_be_done() -> None:
    late = running("a", weight=100, over=500)
    assert again("idle", [late], {"idle": 0.1, "a": 1.0}) == late


def test_what_has_taken_more_than_twice_as_long_as_it_should_is_run_again_by_an_equal_too() -> None:
    known = {"idle": 1.0, "a": 1.0}
    late = running("a", weight=100, over=211)
    assert again("idle", [late], known) == late
    assert again("idle", [running("a", weight=100, over=209)], known) is None


def test_while_nothing_is_known_of_anybody_nothing_is_run_again() -> None:
    assert again("idle", [running("a")], {}) is None


@given(
    st.lists(WEIGHTS, min_size=1, max_size=20),
    st.dictionaries(st.sampled_from("abcdef"), PACES, min_size=1),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 500).map(float)), max_size=6),
)
def test_who_takes_a_chunk_is_done_with_it_before_the_others_were_done_with_all(
    weights: list[float], known: dict[str, float], at_work: list[tuple[str, float]]
) -> None:
    queue, others = waiting(*weights), [running(name, left=left) for name, left in at_work]
    usual = sorted(known.values())[len(known) // 2]
    known = {name: known.get(name, usual) for name in "abcdef"}
    taken = take("a", queue, others, known)
    lanes = {f"{name}{n}": (left, known[name]) for n, (name, left) in enumerate(at_work) if name != "a"}
    if not lanes:
        assert taken is not None
        return
    end = 0.0
    for chunk in sorted(queue, key=lambda each: (-each.weight, each.job_id)):
        first = min(lanes, key=lambda lane: lanes[lane][0])
        free, pace = lanes[first]
        lanes[first] = (free + chunk.weight * pace, pace)
        end = max(end, free + chunk.weight * pace)
    fitting = [chunk for chunk in queue if chunk.weight * known["a"] <= end * (1 + 1e-9)]
    if taken is None:
        assert not any(chunk.weight * known["a"] < end * (1 - 1e-9) for chunk in queue)
    else:
        assert taken in fitting
        assert taken.weight == max(chunk.weight for chunk in fitting)


@given(st.lists(WEIGHTS, min_size=1, max_size=20), st.dictionaries(st.sampled_from("abcdef"), PACES))
def test_a_chunk_that_waits_is_always_taken_by_somebody(
    weights: list[float], known: dict[str, float]
) -> None:
    """By the last one who asks, when nobody works any more: so no film stands still."""
    assert take("a", waiting(*weights), [], known) is not None


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), WEIGHTS, st.integers(0, 999).map(float)), max_size=8),
    st.dictionaries(st.sampled_from("abcdef"), PACES),
)
def test_what_is_run_again_runs_elsewhere_and_takes_longer_there_than_here(
    at_work: list[tuple[str, float, float]], known: dict[str, float]
) -> None:
    others = [Running(f"r{n}", name, weight, 1, left) for n, (name, weight, left) in enumerate(at_work)]
    found = again("a", others, known)
    if found is not None:
        assert found.node_id != "a"
        assert found.left is not None
        assert found.left > min(known.values()) * found.weight
