"""A listing goes on behind any place, whatever has come and gone, as one that is sorted anew would."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from master.store.listings import Listings

NAMES = ["a", "b"]
WHAT = ["add", "finish", "discard", "look"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "finish", "discard", "look"]), st.integers(0, 7), st.sampled_from(NAMES)
    ),
    max_size=80,
)
PLACES = st.none() | st.tuples(st.integers(-1, 2), st.integers(-8, 8))


def key(seq: int, *, final: bool) -> tuple[int, int]:
    return (1, -seq) if final else (0, seq)


@given(STEPS, PLACES, st.none() | st.integers(0, 10))
def test_each_page_has_what_follows(
    steps: list[tuple[str, int, str]], after: tuple[int, int] | None, limit: int | None
) -> None:
    listings: Listings[str] = Listings()
    known: dict[int, tuple[str, bool]] = {}
    for what, seq, name in steps:
        if what == "add" and seq not in known:
            listings.add(name, seq, final=False)
            known[seq] = name, False
        elif what == "finish" and seq in known and not known[seq][1]:
            listings.discard(known[seq][0], seq, final=False)
            listings.add(known[seq][0], seq, final=True)
            known[seq] = known[seq][0], True
        elif what == "discard" and seq in known:
            listings.discard(known[seq][0], seq, final=known.pop(seq)[1])
        else:
            listings.page([name], None, 1)
    for names in (["a"], ["b"], NAMES):
        keys = sorted(key(seq, final=final) for seq, (name, final) in known.items() if name in names)
        behind = [abs(found[1]) for found in keys if after is None or found > after]
        assert listings.page(names, after, limit) == behind[:limit]
        assert listings.count(names) == len(keys)
    assert len(listings) == len({name for name, _ in known.values()})


def test_what_is_not_in_a_listing_is_taken_out_of_it_in_vain() -> None:
    listings: Listings[str] = Listings()
    listings.discard("a", 1, final=True)
    listings.add("a", 1, final=False)
    listings.discard("a", 1, final=True)
    assert listings.page(["a", "nobody's"]) == [1]
