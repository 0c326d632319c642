"""The audit log's tree is RFC 6962's, however it is put together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from backend.domain.merkle import TreeEdge, leaf_hash, node_hash, tree_root

LEAVES = [leaf_hash(n.to_bytes(2)) for n in range(300)]


def recursive(part: list[bytes]) -> bytes:
    """The definition, word by word: split at the largest power of two that is smaller than the number of leaves."""
    if len(part) == 1:
        return part[0]
    split = 1 << (len(part) - 1).bit_length() - 1
    return node_hash(recursive(part[:split]), recursive(part[split:]))


def test_the_tree_is_the_one_of_rfc_6962() -> None:
    for size in range(1, 70):
        assert tree_root(LEAVES[:size]) == recursive(LEAVES[:size])
    assert tree_root([]).hex().startswith("e3b0c442")


@given(st.lists(st.integers(0, 40), max_size=7))
def test_an_edge_that_grew_in_parts_has_the_root_of_the_whole(parts: list[int]) -> None:
    edge, size = TreeEdge(), 0
    for part in parts:
        edge.append(iter(LEAVES[size : size + part]))
        size += part
        assert edge.size == size
        if size:
            assert edge.root() == recursive(LEAVES[:size])
