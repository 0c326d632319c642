"""The evidence file: what it proves offline, and that any change in it is found, the first changed byte by name."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import evidence_lines, tokens
from backend.wire.evidence import Evidence, LoggedEvent, verify_evidence, write_evidence
from backend.wire.evidence_lines import EvidenceDamaged
from backend.wire.jwk import base64url, jwk_of, make_private_key, thumbprint
from backend.wire.lock_documents import Checkpoint, claims_of
from backend.wire.lock_messages import EventHole, EventText, first_hash, next_hash, write_event

LOCK = "019b0000-0000-7000-8000-00000000a001"
LOCK_KEY, PLATFORM_KEY = make_private_key(), make_private_key()
PLATFORM_KID = thumbprint(PLATFORM_KEY.public_key())
PINNED = {PLATFORM_KID: PLATFORM_KEY.public_key()}
AT = 1_790_000_000
KEY_ID = "019b0000-0000-7000-8000-00000000c001"


def platform_sign(kind: str, claims: Mapping[str, Any]) -> str:
    return tokens.sign(kind, claims, PLATFORM_KEY, PLATFORM_KID)


def checkpoint(seq: int, head: bytes, key: Any = LOCK_KEY, lock: str = LOCK) -> str:
    claims = claims_of(Checkpoint(lock, AT, seq, base64url(head), "0a1b2c3d"))
    return tokens.sign("lockchk", claims, key, thumbprint(key.public_key()))


def make_texts(count: int, first: int = 1) -> list[str]:
    kinds = ("lock.unlocked", "door.opened", "door.closed", "lock.locked")
    events = (
        EventText(seq, AT + seq, "ok", "0a1b2c3d", kinds[seq % 4], key=KEY_ID if seq % 4 == 0 else None)
        for seq in range(first, first + count)
    )
    return [write_event(event) for event in events]


def make_evidence(texts: Sequence[str], signed: Sequence[int] = (), anchor: int = 0, **changes: Any) -> Evidence:
    """Evidence over these texts after `anchor`, with the lock's checkpoints at the sequences `signed`."""
    anchor_hash = first_hash(LOCK) if anchor == 0 else bytes(range(32))
    head, events, points = anchor_hash, [], {}
    for seq, text in enumerate(texts, anchor + 1):
        head = bytes.fromhex(text[4:]) if text.startswith("HOLE") else next_hash(head, text)
        if text.startswith("HOLE"):
            text = write_event(EventHole(seq, base64url(head)))
        events.append(LoggedEvent(seq, text, head))
        if seq in signed:
            points[seq] = checkpoint(seq, head)
    made = Evidence(
        lock_id=LOCK,
        lock_key=jwk_of(LOCK_KEY.public_key()),
        platform_key={**jwk_of(PLATFORM_KEY.public_key()), "kid": PLATFORM_KID},
        anchor_seq=anchor,
        anchor_hash=anchor_hash,
        events=tuple(events),
        checkpoints=points,
        made_at=AT,
        ground="tenant_request",
        case="AJ-20261123-0007",
    )
    return replace(made, **changes)


def make_file(texts: Sequence[str], signed: Sequence[int] = (), **changes: Any) -> bytes:
    return write_evidence(make_evidence(texts, signed, **changes), platform_sign)


def damage(raw: bytes) -> EvidenceDamaged:
    with pytest.raises(EvidenceDamaged) as caught:
        verify_evidence(raw, PINNED)
    return caught.value


SMALL = make_file(make_texts(3), signed=[2])


def line_of(raw: bytes, place: int) -> int:
    return raw[:place].count(b"\n") + 1


def seq_of(raw: bytes, place: int) -> int | None:
    """The event a line of the small file is about: header, 1, 2, checkpoint of 2, 3, end; each followed by its copy."""
    return (None, 1, 2, 2, 3, 3)[(line_of(raw, place) - 1) // 2]


def test_a_whole_file_proves_its_events_and_says_which_of_them_the_lock_has_signed() -> None:
    proof = verify_evidence(SMALL)
    assert (proof.lock_id, proof.first, proof.last, proof.signed, proof.holes) == (LOCK, 1, 3, ((1, 2),), 0)
    assert proof.lock_key == thumbprint(LOCK_KEY.public_key()) and proof.platform_key == PLATFORM_KID
    assert (proof.ground, proof.case, proof.made_at) == ("tenant_request", "AJ-20261123-0007", AT)
    assert not proof.platform_key_pinned and not proof.lock_key_pinned
    pinned = verify_evidence(SMALL, {**PINNED, "lock": LOCK_KEY.public_key()})
    assert pinned.platform_key_pinned and pinned.lock_key_pinned
    assert verify_evidence(SMALL, PINNED).lock_key_pinned is False


def test_every_line_is_json_with_the_exact_text_of_its_event() -> None:
    lines = [json.loads(line) for line in SMALL.splitlines()]
    assert [line["event"] for line in lines[::2] if "event" in line] == make_texts(3)
    for line, copy in zip(SMALL.splitlines()[::2], lines[1::2], strict=True):
        assert base64.urlsafe_b64decode(copy + "==") == line


@pytest.mark.parametrize("flip", [0x01, 0x20, 0x80, "newline", "quote"])
def test_a_flipped_byte_in_an_exported_event_log_is_found_and_located(flip: int | str) -> None:
    for place in range(len(SMALL)):
        old = SMALL[place]
        new = old ^ flip if isinstance(flip, int) else {"newline": 0x0A, "quote": 0x22}[flip]
        if new == old:
            continue
        changed = damage(SMALL[:place] + bytes([new]) + SMALL[place + 1 :])
        named = (changed.offset, changed.line, changed.seq, changed.exact)
        assert named == (place, line_of(SMALL, place), seq_of(SMALL, place), True), f"byte {place}: {changed.why}"


def test_a_byte_taken_out_or_put_in_is_located_where_the_file_first_differs() -> None:
    for place in range(len(SMALL)):
        for changed in (SMALL[:place] + SMALL[place + 1 :], SMALL[:place] + b"~" + SMALL[place:]):
            first = next((n for n, (a, b) in enumerate(zip(SMALL, changed, strict=False)) if a != b), len(changed))
            found = damage(changed)
            assert (found.offset, found.exact) == (first, True)


def test_a_file_cut_anywhere_or_continued_is_found() -> None:
    for length in range(len(SMALL)):
        cut = damage(SMALL[:length])
        assert cut.offset <= length <= cut.until
        assert cut.exact is False or cut.offset == length
    assert damage(SMALL + b"\n").offset == len(SMALL)
    assert damage(SMALL + SMALL).offset == len(SMALL)


@given(st.lists(st.tuples(st.integers(0, len(SMALL) - 1), st.integers(1, 255)), min_size=1, max_size=8))
def test_of_many_changes_the_first_is_named_or_a_range_that_holds_it(flips: list[tuple[int, int]]) -> None:
    raw = bytearray(SMALL)
    for place, mask in flips:
        raw[place] ^= mask
    if bytes(raw) == SMALL:
        return
    first = next(n for n, (a, b) in enumerate(zip(SMALL, raw, strict=True)) if a != b)
    found = damage(bytes(raw))
    assert found.offset == first if found.exact else found.offset <= first <= found.until


def test_a_line_taken_out_is_noticed_at_its_place() -> None:
    lines = SMALL.splitlines(keepends=True)
    without = b"".join(lines[:4] + lines[6:])
    found = damage(without)
    assert found.offset == len(b"".join(lines[:4])) and not found.exact and found.seq == 2


def forge(change: Any) -> bytes:
    """Rewrite the small file with copies and sums that fit, as somebody would who has everything but the keys."""
    contents = [json.loads(line) for line in SMALL.splitlines()[::2]]
    for content in contents:
        del content["sum"]
    change(contents)
    out, previous = b"", evidence_lines.NOTHING
    for content in contents:
        line, previous = evidence_lines.spell_line(content, previous)
        out += evidence_lines.pair(line)
    return out


def test_who_rewrites_copies_and_sums_too_is_betrayed_by_the_chain() -> None:
    def rewrite(contents: list[dict[str, Any]]) -> None:
        contents[2]["event"] = contents[2]["event"].replace("door.closed", "door.opened")

    found = damage(forge(rewrite))
    assert (found.seq, found.line, found.exact) == (2, 5, False)
    assert "chain hash" in found.why


def test_who_rewrites_the_chain_too_is_betrayed_by_the_locks_signature() -> None:
    def rewrite(contents: list[dict[str, Any]]) -> None:
        contents[2]["event"] = contents[2]["event"].replace("door.closed", "door.opened")
        contents[2]["hash"] = base64url(next_hash(make_evidence(make_texts(1)).events[0].hash, contents[2]["event"]))

    found = damage(forge(rewrite))
    assert "another chain" in found.why and found.seq == 2


def test_who_rewrites_what_the_lock_has_not_signed_is_betrayed_by_the_platforms_signature() -> None:
    def rewrite(contents: list[dict[str, Any]]) -> None:
        contents[4]["event"] = contents[4]["event"].replace("lock.locked", "door.opened")
        contents[4]["hash"] = base64url(next_hash(make_evidence(make_texts(2)).events[1].hash, contents[4]["event"]))

    assert "another content" in damage(forge(rewrite)).why


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c[0].update(lock="019b0000-0000-7000-8000-00000000a002"),
        lambda c: c[0].update(v=2),
        lambda c: c[0].update(key=jwk_of(PLATFORM_KEY.public_key())),
        lambda c: c[0].update(key={"kty": "oct"}),
        lambda c: c[0].update(anchor="x"),
        lambda c: c[0].update(anchor={"seq": 1, "hash": "A" * 43}),
        lambda c: c[0].update(case="another"),
        lambda c: c[0].update(made_at=10**30),
        lambda c: c[0].update(case="\x1b[2J"),
        lambda c: c[0].update(ground=None),
        lambda c: c[0].clear(),
        lambda c: c.insert(2, {"note": "x"}),
        lambda c: c.insert(2, {"event": 7, "hash": None}),
        lambda c: c.insert(2, {"checkpoint": ["x"]}),
        lambda c: c.pop(1),
        lambda c: c.pop(3),
        lambda c: c[1].update(event="\ud800"),
        lambda c: c[1].update(event=c[2]["event"]),
        lambda c: c[5].update(signed="a.b.c"),
        lambda c: c[5].update(signed=7),
        lambda c: c[5].update(signed=checkpoint(2, bytes(32))),
    ],
)
def test_whatever_else_is_rewritten_is_refused(change: Any) -> None:
    for keys in (PINNED, None):
        with pytest.raises(EvidenceDamaged):
            verify_evidence(forge(change), keys)


def test_another_platforms_signature_counts_only_when_its_key_was_given() -> None:
    other = make_private_key()
    kid = thumbprint(other.public_key())
    made = make_evidence(make_texts(1), platform_key={**jwk_of(other.public_key()), "kid": kid})
    raw = write_evidence(made, lambda kind, claims: tokens.sign(kind, claims, other, kid))
    assert verify_evidence(raw).platform_key == kid
    assert "given keys" in damage(raw).why


def test_a_checkpoint_of_another_lock_or_key_is_not_the_locks_word() -> None:
    made = make_evidence(make_texts(2))
    head = made.events[0].hash
    for token in (checkpoint(1, head, PLATFORM_KEY), checkpoint(1, bytes(32)), checkpoint(1, head, lock="x")):
        with pytest.raises(EvidenceDamaged):
            verify_evidence(write_evidence(replace(made, checkpoints={1: token}), platform_sign))


def test_a_hole_ends_what_the_lock_has_signed_before_it() -> None:
    texts = make_texts(6)
    texts[3] = "HOLE" + bytes(range(32)).hex()
    assert verify_evidence(make_file(texts, signed=[2, 6])).signed == ((1, 2), (4, 6))
    assert verify_evidence(make_file(texts, signed=[3, 6])).signed == ((1, 6),)
    proof = verify_evidence(make_file(texts, signed=[6]))
    assert (proof.signed, proof.holes) == (((4, 6),), 1)


def test_a_part_of_the_chain_begins_at_its_anchor() -> None:
    proof = verify_evidence(make_file(make_texts(5, first=41), signed=[42, 45], anchor=40))
    assert (proof.first, proof.last, proof.signed) == (41, 45, ((41, 45),))


def test_what_the_lock_wrote_and_nobody_can_read_is_in_the_chain_all_the_same() -> None:
    texts = [*make_texts(1), "{garbage \u2028 \x01 门", *make_texts(1, first=3)]
    assert verify_evidence(make_file(texts, signed=[3])).signed == ((1, 3),)


@pytest.mark.parametrize("raw", [b"", b"\n", b"{}", b"[]\n\n", b"\xff" * 500, b'"' * 70_000, b"A" * 200_000])
def test_a_file_that_is_no_event_log_is_refused_in_words(raw: bytes) -> None:
    found = damage(raw)
    assert found.offset == 0 and not found.exact


def test_a_long_log_is_written_and_verified_at_once() -> None:
    raw = make_file(make_texts(2_000), signed=range(64, 2_001, 64))
    assert verify_evidence(raw).signed == ((1, 1_984),)
    assert len(raw) < 2_000 * 900
