"""Leases out of a landlord's list: again, changed, interrupted, rehearsed; never a declaration or another's unit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.table_files import Table, read_table
from backend.models.imports import ImportRow, ImportRun
from backend.models.invitations import Invitation
from backend.models.leases import Lease
from backend.models.outbox import OutboxRow
from backend.models.registrations import FieldSource, Registration
from backend.queries.imports import RunView, list_rows
from backend.seeding import sample_number
from backend.services import lease_imports
from backend.services.audit import Actor
from backend.services.lease_imports import LEASE_COLUMNS, LEASE_DATES, LEASE_REQUIRED, find_landlord, import_leases
from backend.services.leases import end_lease
from tests.services import stories

HEAD = "房间编号,地址,房间,租客姓名,证件号码,手机号,出租方式,开始日期,结束日期,月租金,纸质申报日期\n"
SECOND = sample_number("341822", date(1996, 6, 1))
THIRD = sample_number("341822", date(1997, 6, 1))
NEXT_YEAR = "2027/11/22"


def line(
    number: str = stories.TENANT_NUMBER, *, unit: str = "U-TEST0101", name: str = "周来福", kind: str = "合租",
    start: str = "2024/3/1", end: str = NEXT_YEAR, phone: str = "19900009101", rent: str = "", place: str = ",",
    paper: str = "",
) -> str:  # fmt: skip
    return f"{unit},{place},{name},{number},{phone},{kind},{start},{end},{rent},{paper}\n"


def table_of(*lines: str) -> Table:
    content = (HEAD + "".join(lines)).encode("gb18030")
    return read_table("租客.csv", content, LEASE_COLUMNS, required=LEASE_REQUIRED, dates=LEASE_DATES)


def take(world: Any, account_id: str, *lines: str, **wishes: Any) -> RunView:
    wishes.setdefault("actor", Actor("resident", account_id))
    return import_leases(world, table=table_of(*lines), account_id=account_id, **wishes)


def counts(run: RunView) -> dict[str, int]:
    return {name: count for name, count in run.counts.items() if count}


def faults(run: RunView) -> list[tuple[int, str | None, str]]:
    return [(row.number, fault.field, fault.code) for row in list_rows(run.id) for fault in row.errors]


def leases() -> list[Lease]:
    with reading() as session:
        return list(session.scalars(select(Lease).order_by(Lease.created_at, Lease.id)))


def test_a_list_becomes_leases_reported_and_invited_but_nobody_is_declared(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    run = take(world, story.landlord, line(rent="1500", paper="2024-03-02"))
    assert (run.state, counts(run)) == ("done", {"new": 1})
    assert faults(run) == [(2, "paper_declared_on", "import.no_declaration")]
    [lease] = leases()
    assert (lease.starts_on, lease.ends_on, lease.rent_cents) == (date(2024, 3, 1), date(2027, 11, 22), 150000)
    with reading() as session:
        registration = session.scalars(select(Registration)).one()
        assert (registration.tenant_leg, registration.declared_at, registration.landlord_leg) == (
            "invited", None, "reported",
        )  # fmt: skip
        assert registration.move_in_on == date(2024, 3, 1)
        assert registration.tenant_due_on == world.clock.today() + timedelta(days=3), "the duty is counted from now on"
        sources = set(session.scalars(select(FieldSource.source).where(FieldSource.object_id == registration.id)))
        assert sources == {"import"}
        assert session.scalars(select(Invitation.state)).all() == ["pending"]
        assert session.scalar(select(func.count()).where(OutboxRow.destination == "sms")) == 0, "only when asked for"
    before = [(each.id, each.version) for each in leases()]
    again = take(world, story.landlord, line(rent="1500", paper="2024-03-02"))
    assert counts(again) == {"same": 1} and [(each.id, each.version) for each in leases()] == before


def test_invitations_are_sent_when_the_landlord_wants_them(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    take(world, story.landlord, line(), invite=True)
    with reading() as session:
        assert session.scalar(select(func.count()).where(OutboxRow.destination == "sms")) == 1


def test_a_later_end_extends_and_nothing_else_changes_a_lease(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    take(world, story.landlord, line())
    assert counts(take(world, story.landlord, line(end="2028-11-22"))) == {"changed": 1}
    assert leases()[0].ends_on == date(2028, 11, 22)
    assert counts(take(world, story.landlord, line(end=""))) == {"same": 1}, "an empty cell says nothing of the end"
    shorter = take(world, story.landlord, line(end="2027-01-01"))
    assert faults(shorter) == [(2, "ends_on", "lease.shorten")]
    other = take(world, story.landlord, line(end="2028-11-22", name="周来贵", kind="整租", phone="19900009102"))
    assert faults(other) == [(2, column, "import.differs") for column in ("kind", "tenant_name", "tenant_phone")]
    assert counts(take(world, story.landlord, line(end="不定期"))) == {"changed": 1}
    assert leases()[0].ends_on is None and len(leases()) == 1


def test_a_list_that_means_no_end_by_its_last_day_makes_an_open_ended_lease_and_says_so(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    rehearsal = take(world, story.landlord, line(end="9999/12/31"), dry_run=True)
    assert counts(rehearsal) == {"new": 1} and faults(rehearsal) == [(2, "ends_on", "import.open_ended")]
    run = take(world, story.landlord, line(end="9999/12/31"))
    assert faults(run) == faults(rehearsal)
    assert [lease.ends_on for lease in leases()] == [None]


def test_two_names_for_one_room_and_time_are_a_joint_tenancy_as_large_as_the_room(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)  # for two
    lines = (line(), line(SECOND, name="李二", phone="19900009102"), line(THIRD, name="王三", phone="19900009103"))
    rehearsal = take(world, story.landlord, *lines, dry_run=True)
    run = take(world, story.landlord, *lines)
    assert counts(run) == counts(rehearsal) == {"new": 2, "failed": 1}
    assert faults(run) == faults(rehearsal) and faults(run)[0][2] == "unit.full"
    first, second = leases()
    assert second.joint_id == first.id


def test_rows_are_held_against_each_other_and_against_what_is_there(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    lines = (line(), line(), line(SECOND, name="李二", start="2026-01-01"))
    rehearsal = take(world, story.landlord, *lines, dry_run=True)
    assert not leases()
    assert faults(rehearsal) == [
        (3, "tenant_id_number", "import.duplicate"), (4, "starts_on", "import.overlap_row"),
    ]  # fmt: skip
    assert faults(take(world, story.landlord, *lines)) == [
        (3, "tenant_id_number", "import.duplicate"), (4, "starts_on", "lease.overlap"),
    ]  # fmt: skip
    overlap = [row for row in list_rows(rehearsal.id) if row.number == 3]
    assert "2" in overlap[0].errors[0].sentence("zh"), "the other row is named"


def test_only_the_landlords_own_units_exist(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    other = stories.make_landlord(world, "+8619900009002", sample_number("330522", date(1970, 1, 2)))
    lines = (line(), line(unit="U-TEST0102"), line(unit="", place="陈塘路1号,102室"), line(unit="U-NONE"))
    assert {code for _, _, code in faults(take(world, other, *lines))} == {"import.unit"} and not leases()
    own = take(world, story.landlord, line(unit="", place="太湖街道 陈塘村 陈塘路1号,101"))
    assert counts(own) == {"new": 1}
    with pytest.raises(Refused, match=r"landlord\.unidentified"):
        take(world, stories.make_account(world, "+8619900009003"), line())


def test_the_landlord_is_not_his_own_tenant_and_who_lives_there_is_not_doubled(core: Any, world: Any) -> None:
    story = stories.make_declared(world)
    own = line(stories.LANDLORD_NUMBER, name="沈安一", start="2027-11-24", end="")
    run = take(world, story.landlord, own, line(start="2027-11-24", end=""), line(start="2028-01-01", end=""))
    assert [(field, code) for _, field, code in faults(run)] == [
        ("tenant_id_number", "lease.own"), ("tenant_id_number", "lease.same_tenant"), ("starts_on", "lease.start"),
    ]  # fmt: skip


def test_a_lease_that_was_taken_back_is_not_recorded_again(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    take(world, story.landlord, line())
    end_lease(world, account_id=story.landlord, lease_id=leases()[0].id, ended_on=world.clock.today())
    run = take(world, story.landlord, line())
    assert counts(run) == {"kept": 1} and faults(run) == [(2, "starts_on", "import.lease_over")] and len(leases()) == 1


class _Killed(BaseException):
    """Stands for the end of the process in the middle of a run."""


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_that_is_killed_between_rows_goes_on_and_doubles_nothing(
    core: Any, world: Any, dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = stories.make_let_unit(world)
    monkeypatch.setattr(lease_imports, "ROWS_PER_UNIT", 1)
    lines = [line(), line(SECOND, name="李二", start="2026-01-01"), line(SECOND, name="李二", start=NEXT_YEAR, end=""),
             line(THIRD, name="王三", start="2027-11-23", end="")]  # fmt: skip

    def kill(run: RunView) -> None:
        if run.done == 2:
            raise _Killed

    with pytest.raises(_Killed):
        take(world, story.landlord, *lines, dry_run=dry_run, tell=kill)
    run = take(world, story.landlord, *lines, dry_run=dry_run)
    assert (run.state, run.done, counts(run)) == ("done", 4, {"new": 2, "failed": 2})
    assert [number for number, _, _ in faults(run)] == [3, 4], "what the first half found stands for the second"
    assert len(leases()) == (0 if dry_run else 2)
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportRun)) == 1


def test_what_stood_in_a_cell_is_in_no_row_of_a_run(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    wrong = stories.TENANT_NUMBER[:-1] + ("1" if stories.TENANT_NUMBER[-1] != "1" else "2")
    run = take(world, story.landlord, line(wrong), line(name="<i>周</i>"))
    with reading() as session:
        kept = [str(row.errors) for row in session.scalars(select(ImportRow))]
    assert len(kept) == 2 and not any(wrong in text or "周" in text for text in kept)
    assert find_landlord(world, phone="199 0000 9001") == story.landlord and run.state == "done"
