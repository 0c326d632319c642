"""Comparing two lists of (id, version, state): what differs, what may be told again, what is left alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.domain.reconciliation import KIND_NAMES, KINDS, Entry, compare, with_untold_ends

entries = st.dictionaries(
    st.sampled_from("abcdefgh"), st.tuples(st.integers(1, 4), st.sampled_from(["ACTIVE", "MOVED_OUT", "VOIDED"]))
).map(lambda held: [(name, version, state) for name, (version, state) in held.items()])


def kinds(ours: list[Entry], theirs: list[Entry]) -> dict[str, tuple[str, bool]]:
    return {found.id: (found.kind, found.can_be_sent) for found in compare(ours, theirs)}


def test_each_kind_is_told_apart_and_only_what_they_lack_is_sent() -> None:
    ours = [("a", 1, "ACTIVE"), ("c", 3, "ACTIVE"), ("d", 1, "ACTIVE"), ("e", 2, "MOVED_OUT"), ("f", 2, "ACTIVE")]
    theirs = [("b", 1, "ACTIVE"), ("c", 2, "ACTIVE"), ("d", 5, "ACTIVE"), ("e", 2, "ACTIVE"), ("f", 2, "VOIDED")]
    assert kinds(ours, theirs) == {
        "a": ("missing_there", True),
        "b": ("missing_here", False),
        "c": ("version_skew", True),
        "d": ("version_skew", False),
        "e": ("state_skew", True),
        "f": ("state_skew", False),
    }
    assert set(KIND_NAMES) == set(KINDS)


@given(entries, entries)
def test_exactly_what_differs_is_found(ours: list[Entry], theirs: list[Entry]) -> None:
    found = {one.id for one in compare(ours, theirs)}
    assert found == {name for name, _, _ in set(ours) ^ set(theirs)}
    assert compare(ours, theirs, found) == []
    assert {(a.id, a.ours) for a in compare(ours, theirs)} == {(b.id, b.theirs) for b in compare(theirs, ours)}


def test_an_end_never_told_is_named_where_nothing_else_differs() -> None:
    ours = [(f"{one}:TENANT", 3 if one == "b" else 2, "ACTIVE") for one in "abcd"]
    theirs = [(f"{one}:TENANT", 2, "MOVED_OUT" if one == "c" else "ACTIVE") for one in "abcd"]
    ended = {"a:TENANT": "MOVED_OUT", "b:TENANT": "VOIDED", "c:TENANT": "MOVED_OUT"}
    found = with_untold_ends(compare(ours, theirs), ours, theirs, ended)
    assert [(one.id, one.kind, one.ours) for one in found] == [
        ("a:TENANT", "end_untold", (2, "MOVED_OUT")),
        ("b:TENANT", "version_skew", (3, "ACTIVE")),  # its version first; with it the end is told
        ("c:TENANT", "end_untold", (2, "MOVED_OUT")),  # told, but we hold no receipt of it
    ]
    assert all(one.can_be_sent for one in found)
