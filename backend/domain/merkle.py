"""Merkle tree hashing as in RFC 6962 section 2.1."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf_hash(content: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 ‖ content)."""
    return sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def tree_root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes; the root of nothing is the hash of nothing."""
    if not leaf_hashes:
        return sha256(b"").digest()
    # Complete subtrees from left to right, as (height, hash); equal heights merge, the rest folds from the right.
    stack: list[tuple[int, bytes]] = []
    for leaf in leaf_hashes:
        stack.append((0, leaf))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            height, right = stack.pop()
            _, left = stack.pop()
            stack.append((height + 1, node_hash(left, right)))
    root = stack.pop()[1]
    while stack:
        root = node_hash(stack.pop()[1], root)
    return root
