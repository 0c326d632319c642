"""Merkle tree hashing as in RFC 6962 section 2.1, for a tree that only grows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256


def leaf_hash(content: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 ‖ content)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


class TreeEdge:
    """The right edge of a growing tree: its complete subtrees from left to right, and nothing below them.

    It holds at most one hash for each bit of its size, and a leaf more costs one hash on average: whoever keeps it
    knows the root of a long log without reading the log again.
    """

    def __init__(self) -> None:
        self.size = 0
        self._subtrees: list[bytes] = []  # one for each bit set in `size`, the largest first

    def clear(self) -> None:
        """Begin again with nothing."""
        self.size, self._subtrees = 0, []

    def append(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves at the right."""
        for node in leaf_hashes:
            number = self.size
            while number & 1:  # a complete subtree of the same height stands to the left
                node = node_hash(self._subtrees.pop(), node)
                number >>= 1
            self._subtrees.append(node)
            self.size += 1

    def root(self) -> bytes:
        """Root over everything so far; the root of nothing is the hash of nothing."""
        if not self._subtrees:
            return sha256(b"").digest()
        *others, root = self._subtrees
        for left in reversed(others):
            root = node_hash(left, root)
        return root


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; the root of nothing is the hash of nothing."""
    edge = TreeEdge()
    edge.append(leaf_hashes)
    return edge.root()
