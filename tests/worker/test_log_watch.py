"""The audit log is recomputed after the start and every night; what does not fit is told, and stays to be seen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from backend.db import db, transaction
from backend.models.audit import AuditCheck, AuditLeaf
from backend.models.officers import StaffNotice
from backend.queries.audit_checks import find_last_check, is_old, list_found_faults
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.audit_checks import keep_result
from backend.services.audit_sealing import seal_leaves, sign_checkpoint
from backend.services.audit_verification import check_log_from_shell
from backend.worker.assembly import make_loops
from backend.worker.log_watch import LogWatch, count_checked
from tests.services import staff

pytestmark = pytest.mark.usefixtures("core")


def write(world: Any, count: int) -> None:
    with transaction() as session:
        for number in range(count):
            write_leaf(world, session, Actor("system"), f"act_{number}")
    seal_leaves(world)
    sign_checkpoint(world)


def checks() -> list[tuple[int, int]]:
    db.session.expire_all()
    return [(row.leaves, row.fault_count) for row in db.session.scalars(select(AuditCheck).order_by(AuditCheck.id))]


def told() -> list[tuple[str, int]]:
    db.session.expire_all()
    notices = db.session.scalars(select(StaffNotice).where(StaffNotice.kind == "audit_differs"))
    return sorted((notice.officer_id, notice.params["n"]) for notice in notices)


def test_the_log_is_checked_after_the_start_and_once_a_night(world: Any, clock: Any) -> None:
    write(world, 3)
    watch = LogWatch(world)
    for _ in range(3):
        watch.go_on()
    assert checks() == [(3, 0)]
    clock.move(timedelta(hours=14, minutes=59))  # 00:59 in China
    watch.go_on()
    assert len(checks()) == 1
    for _ in range(3):
        clock.move(timedelta(minutes=2))
        watch.go_on()
    assert len(checks()) == 2
    clock.move(timedelta(hours=12))
    watch.go_on()
    assert len(checks()) == 2
    LogWatch(world).go_on()  # another start
    assert len(checks()) == 3


def test_a_loss_that_was_signed_over_stays_found_and_is_no_news_of_its_own(world: Any) -> None:
    staff.make_officer(world, "auditor", login="reader")
    for faults, news in ((["leaf.lost:2"], 0), (["leaf.lost:2", "leaf.changed:3"], 1)):
        with transaction() as session:
            keep_result(world, session, SYSTEM, leaves=4, faults=faults, fault_count=len(faults))
        assert len(told()) == news
    assert checks() == [(4, 1), (4, 2)]


def test_a_long_log_is_checked_a_portion_at_each_call(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.audit_verification.PORTION", 4)
    write(world, 10)
    watch = LogWatch(world)
    seen = []
    for _ in range(4):
        watch.go_on()
        seen.append(len(checks()))
    assert seen == [0, 0, 1, 1]


def test_a_check_that_lay_idle_is_begun_anew(world: Any, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.services.audit_verification.PORTION", 4)
    write(world, 6)
    watch = LogWatch(world)
    watch.go_on()
    clock.move(timedelta(hours=15, minutes=30))  # 01:30 in China: the turn was another's, and comes back
    write(world, 3)
    for _ in range(3):
        watch.go_on()
    assert checks() == [(9, 0)], "not what the log was before this night"


def test_a_check_that_another_worker_has_done_meanwhile_is_left(
    world: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.audit_verification.PORTION", 4)
    write(world, 6)
    slow, other = LogWatch(world), LogWatch(world)
    slow.go_on()
    clock.move(timedelta(minutes=1))
    for _ in range(2):
        other.go_on()
    assert len(checks()) == 1
    for _ in range(3):
        slow.go_on()
    assert len(checks()) == 1


def test_a_broken_log_is_told_to_auditors_and_supervisors_once_a_day_and_is_never_forgotten(
    world: Any, clock: Any, core: Any
) -> None:
    told_of = [staff.make_officer(world, "auditor").id, staff.make_officer(world, "supervisor", "3305").id]
    staff.make_officer(world, "officer")
    write(world, 6)
    with transaction() as session:
        gone = session.scalars(select(AuditLeaf).where(AuditLeaf.seq == 3)).one()
        kept = {column.key: getattr(gone, column.key) for column in AuditLeaf.__table__.columns}
        session.execute(delete(AuditLeaf).where(AuditLeaf.seq == 3))
    LogWatch(world).go_on()
    assert told() == sorted((officer_id, 1) for officer_id in told_of)
    check_log_from_shell(world)
    assert len(told()) == 2, "the same day it is not told again"
    assert count_checked(core)["audit_faults"] == 1
    last = find_last_check()
    assert last is not None and last.faults == ("leaf.missing:3",) and last.by == "operator"
    with transaction() as session:
        session.add(AuditLeaf(**kept))
    clock.move(timedelta(days=1))
    LogWatch(world).go_on()
    mended = find_last_check()
    assert mended is not None and mended.fault_count == 0 and mended.by == "system"
    assert [line.by for line in list_found_faults()] == ["operator", "system"]


def test_a_check_grows_old_after_two_days(world: Any, clock: Any) -> None:
    assert is_old(find_last_check(), clock.now())
    LogWatch(world).go_on()
    clock.move(timedelta(days=2))
    assert not is_old(find_last_check(), clock.now())
    clock.move(timedelta(minutes=1))
    assert is_old(find_last_check(), clock.now())


def test_the_worker_checks_the_log_by_itself(core: Any, world: Any) -> None:
    write(world, 2)
    assert count_checked(core) == {"audit_check_good_for": 172_800}
    [house] = [loop for loop in make_loops(core) if loop.name == "house"]
    house.run_once()
    assert count_checked(core)["audit_leaves"] >= 2 and count_checked(core)["audit_faults"] == 0
