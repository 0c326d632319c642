"""Sealed fields do not open elsewhere; the audit log shows what was done to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.log_faults import LOST
from backend.domain.merkle import TreeEdge, tree_root
from backend.gateways.key_ring import FileKeyRing, KeyRingError
from backend.models.audit import AuditCheck, AuditCheckpoint, AuditLeaf
from backend.models.data_keys import DataKey
from backend.services import vault
from backend.services.access_records import my_access_records
from backend.services.audit import OPERATOR, Actor, write_leaf
from backend.services.audit_checks import FAULTS_KEPT, keep_result
from backend.services.audit_sealing import SignedPlace, seal_leaves, sign_checkpoint, stand_in_for_lost
from backend.services.audit_verification import LogCheck, check_whole_log
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def sealed_value(world: Any, subject: str, row: str) -> bytes:
    with transaction() as session:
        vault.make_data_key(world, session, subject)
        return vault.seal(world, session, subject, "persons.name", row, "王小满")


def test_a_sealed_value_opens_in_its_own_place_alone(world: Any) -> None:
    subject, row = new_id(), new_id()
    value = sealed_value(world, subject, row)
    assert vault.unseal(world, db.session(), subject, "persons.name", row, value) == "王小满"
    other = new_id()
    sealed_value(world, other, row)
    for place in (
        (subject, "persons.phone", row),
        (subject, "persons.name", new_id()),
        (other, "persons.name", row),
    ):
        with pytest.raises(KeyRingError):
            vault.unseal(world, db.session(), *place, value)
    with pytest.raises(KeyRingError):
        vault.unseal(world, db.session(), subject, "persons.name", row, value[:-1] + bytes([value[-1] ^ 1]))


def test_destroying_the_data_key_is_the_deletion(world: Any) -> None:
    subject, row = new_id(), new_id()
    value = sealed_value(world, subject, row)
    with transaction() as session:
        session.execute(delete(DataKey).where(DataKey.subject_id == subject))
    db.session.expire_all()
    with pytest.raises(KeyRingError, match="destroyed"):
        vault.unseal(world, db.session(), subject, "persons.name", row, value)


def test_two_processes_share_one_ring_and_another_ring_opens_nothing(world: Any, settings: Any, tmp_path: Any) -> None:
    kek_id, wrapped = world.key_ring.wrap(b"k" * 32, "subject")
    assert FileKeyRing(settings.keys_folder).unwrap(kek_id, wrapped, "subject") == b"k" * 32
    with pytest.raises(KeyRingError):
        world.key_ring.unwrap(kek_id, wrapped, "another")
    with pytest.raises(KeyRingError):
        FileKeyRing(tmp_path / "other").unwrap(kek_id, wrapped, "subject")


@contextmanager
def counting_rows() -> Iterator[list[int]]:
    """How many leaf hashes each append to an edge was given."""
    read: list[int] = []
    append = TreeEdge.append

    def counted(edge: TreeEdge, hashes: Iterable[bytes]) -> None:
        before = edge.size
        append(edge, hashes)
        read.append(edge.size - before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TreeEdge, "append", counted)
        yield read


def leaves(world: Any, count: int) -> None:
    with transaction() as session:
        for number in range(count):
            write_leaf(world, session, Actor("system"), f"act_{number}", fields=["name"])


def test_an_untouched_log_has_no_faults(world: Any) -> None:
    leaves(world, 5)
    assert seal_leaves(world) == 5
    assert sign_checkpoint(world)
    assert not sign_checkpoint(world)
    leaves(world, 3)
    seal_leaves(world)
    sign_checkpoint(world)
    assert db.session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 2
    assert check_whole_log(world).faults == []


@pytest.mark.parametrize(
    ("tampering", "faults"),
    [
        ("changed", ["leaf.changed:3"]),
        ("removed", ["leaf.missing:3"]),
        ("rehashed", ["leaf.changed:3", "root.differs:6"]),
        ("shortened", ["log.short:6"]),
    ],
)
def test_each_way_to_rewrite_the_log_is_named(world: Any, tampering: str, faults: list[str]) -> None:
    leaves(world, 6)
    seal_leaves(world)
    sign_checkpoint(world)
    with transaction() as session:
        if tampering == "changed":
            session.execute(update(AuditLeaf).where(AuditLeaf.seq == 3).values(decision="other"))
        elif tampering == "removed":
            session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 3))
        elif tampering == "rehashed":
            session.execute(update(AuditLeaf).where(AuditLeaf.seq == 3).values(leaf_hash=b"x" * 32))
        else:
            session.execute(delete(AuditLeaf).where(AuditLeaf.seq > 4))
    db.session.expire_all()
    assert check_whole_log(world).faults == faults


def test_a_signature_of_anothers_and_a_checkpoint_without_leaves_are_named(world: Any) -> None:
    leaves(world, 2)
    seal_leaves(world)
    sign_checkpoint(world)
    with transaction() as session:
        session.execute(update(AuditCheckpoint).values(note="eyJhbGciOiJFUzI1NiJ9..AAAA"))
    assert check_whole_log(world).faults == ["signature.foreign:2"]
    with transaction() as session:
        session.execute(delete(AuditLeaf))
    assert check_whole_log(world).faults == ["log.short:2"]


def test_the_portions_of_a_check_see_what_one_look_would_see(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.audit_verification.PORTION", 3)
    for _ in range(3):
        leaves(world, 4)
        seal_leaves(world)
        sign_checkpoint(world)
    assert check_whole_log(world).fault_count == 0
    check = LogCheck(world)
    leaves(world, 4)  # while it goes on the log grows
    seal_leaves(world)
    sign_checkpoint(world)
    assert [check.go_on() for _ in range(5)] == [True] * 4 + [False] and check.faults == []
    with transaction() as session:
        session.execute(update(AuditLeaf).where(AuditLeaf.seq == 4).values(leaf_hash=b"x" * 32))
    found = check_whole_log(world)
    assert found.faults == ["leaf.changed:4", *(f"root.differs:{size}" for size in (4, 8, 12, 16))]
    with transaction() as session:
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 4))
    assert check_whole_log(world).faults == ["leaf.missing:4"]


def test_a_tail_cut_off_between_two_portions_is_missed(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.audit_verification.PORTION", 4)
    leaves(world, 6)
    seal_leaves(world)
    check = LogCheck(world)
    assert check.go_on()
    with transaction() as session:
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 6))
    assert not check.go_on() and check.faults == ["leaf.missing:6"]


def test_a_leaf_is_gone_when_its_use_case_fails(world: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        write_leaf(world, session, Actor("system"), "act")
        raise ZeroDivisionError
    assert db.session.scalar(select(func.count()).select_from(AuditLeaf)) == 0


def test_a_person_sees_each_look_with_office_role_and_purpose_and_not_the_own_acts(world: Any) -> None:
    story = stories.make_active(world)
    identity = stories.key_row(story.key_id).holder_id
    officer = Actor("officer", new_id(), "P-12", "officer", "太湖派出所", "address_check", "AJ-1")
    with transaction() as session:
        write_leaf(world, session, officer, "unit_opened", subject_id=identity, fields=["name", "id_number_masked"])
    [seen] = my_access_records(world, account_id=story.tenant).items
    assert (seen.office, seen.role, seen.badge, seen.purpose) == ("太湖派出所", "officer", "P-12", "address_check")
    assert seen.fields == ("name", "id_number_masked")


def test_a_kept_edge_reads_new_leaves_alone_and_starts_anew_over_another_log(world: Any) -> None:
    place = SignedPlace()
    for count in (5, 3):
        leaves(world, count)
        seal_leaves(world)
        with counting_rows() as read:
            assert sign_checkpoint(world, place)
        assert read == [count]
        assert not sign_checkpoint(world, place)
    assert place.edge.size == 8 and check_whole_log(world).faults == []
    with transaction() as session:  # as after a restore: the log is another, and longer
        session.execute(delete(AuditCheckpoint))
        session.execute(update(AuditLeaf).values(leaf_hash=AuditLeaf.nonce))
    leaves(world, 1)
    seal_leaves(world)
    assert sign_checkpoint(world, place)
    hashes = db.session.scalars(select(AuditLeaf.leaf_hash).where(AuditLeaf.seq <= 9).order_by(AuditLeaf.seq)).all()
    assert db.session.scalars(select(AuditCheckpoint.root)).all() == [tree_root(hashes)]
    [kept] = db.session.scalars(select(AuditCheck))
    assert kept.faults == ["checkpoint.gone:8"], "who signed remembers it, whatever the database says"


def checkpoints() -> list[int]:
    return list(db.session.scalars(select(AuditCheckpoint.size).order_by(AuditCheckpoint.size)))


def kept_checks() -> list[list[str]]:
    return [check.faults for check in db.session.scalars(select(AuditCheck).order_by(AuditCheck.at, AuditCheck.id))]


def lose(seq: int) -> dict[str, Any]:
    """A leaf gone from the database; answers what it was."""
    with transaction() as session:
        gone = session.scalars(select(AuditLeaf).where(AuditLeaf.seq == seq)).one()
        kept = {column.key: getattr(gone, column.key) for column in AuditLeaf.__table__.columns}
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == seq))
        return kept


def test_before_a_hole_the_signing_waits_reads_nothing_twice_and_goes_on_when_the_leaf_is_back(world: Any) -> None:
    place = SignedPlace()
    leaves(world, 4)
    seal_leaves(world)
    sign_checkpoint(world, place)
    leaves(world, 4)
    seal_leaves(world)
    gone = lose(7)
    with counting_rows() as read:
        for _ in range(3):
            assert not sign_checkpoint(world, place)
            leaves(world, 1)
            assert seal_leaves(world) > 0, "what comes is numbered all the same"
    assert sum(read) == 2 and checkpoints() == [4]
    assert kept_checks() == [["leaf.missing:7"]], "kept once"
    with transaction() as session:
        session.add(AuditLeaf(**gone))
    assert sign_checkpoint(world, place)
    assert check_whole_log(world).faults == []


def test_a_hole_that_stays_is_told_once_a_day_whatever_else_was_found(world: Any, clock: Any) -> None:
    leaves(world, 4)
    seal_leaves(world)
    lose(2)
    sign_checkpoint(world)
    with transaction() as session:
        keep_result(world, session, OPERATOR, leaves=4, faults=["leaf.changed:1"] * FAULTS_KEPT, fault_count=30)
    for hours in (1, 22, 2, 1):
        clock.move(timedelta(hours=hours))
        assert not sign_checkpoint(world)
    assert [faults[0] for faults in kept_checks()] == ["leaf.missing:2", "leaf.changed:1", "leaf.missing:2"]


def test_the_operator_lets_the_signing_go_on_over_what_is_lost_and_every_check_names_it(world: Any) -> None:
    place = SignedPlace()
    leaves(world, 6)
    seal_leaves(world)
    assert stand_in_for_lost(world) == []
    lose(2)
    lose(3)
    assert not sign_checkpoint(world, place)
    assert stand_in_for_lost(world) == [2, 3]
    seal_leaves(world)
    assert sign_checkpoint(world, place)
    assert check_whole_log(world).faults == ["leaf.lost:2", "leaf.lost:3"]
    stood_in = db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == LOST).order_by(AuditLeaf.seq)).all()
    assert [(leaf.seq, leaf.object_id, leaf.actor_kind) for leaf in stood_in] == [
        (2, "2", "operator"), (3, "3", "operator"),
    ]  # fmt: skip


def test_a_stand_in_does_not_pass_for_a_leaf_that_was_signed(world: Any) -> None:
    leaves(world, 4)
    seal_leaves(world)
    sign_checkpoint(world)
    lose(2)
    assert stand_in_for_lost(world) == [2]
    assert check_whole_log(world).faults == ["leaf.lost:2", "root.differs:4"]


def test_no_checkpoint_is_signed_over_a_hole(world: Any) -> None:
    leaves(world, 4)
    seal_leaves(world)
    with transaction() as session:
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 2))
    place = SignedPlace()
    for _ in range(3):
        assert not sign_checkpoint(world, place)
    assert db.session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 0
    assert [check.faults for check in db.session.scalars(select(AuditCheck))] == [["leaf.missing:2"]], "kept once"
