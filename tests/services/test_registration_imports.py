"""Paper registrations of an office: declared on their day, sent like any other, joined to leases, never doubled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import reading, transaction
from backend.domain.refusals import Refused
from backend.gateways.identity_authority import UNMATCHED_NAME
from backend.gateways.table_files import Table, read_table
from backend.models.audit import AuditLeaf
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.registrations import FieldSource, Registration, RegistrationChange
from backend.queries.imports import RunView
from backend.seeding import sample_number
from backend.services.audit import SYSTEM
from backend.services.registration_changes import change_registration
from backend.services.registration_imports import (
    PAPER_COLUMNS,
    PAPER_DATES,
    PAPER_REQUIRED,
    find_importer,
    import_registrations,
)
from backend.worker.registry_loop import process_once
from tests.services import staff, stories
from tests.services.test_lease_imports import counts, faults, take
from tests.services.test_lease_imports import line as lease_line

HEAD = "地址,房间,姓名,证件号码,户籍地代码,入住日期,申报日期,登记表编号\n"
OTHER = sample_number("341822", date(1996, 6, 1))
CHILD = sample_number("341822", date(2015, 6, 1))
DECLARED = datetime(2025, 2, 5, 4, 0, tzinfo=UTC)


def line(
    number: str = stories.TENANT_NUMBER, *, name: str = "周来福", room: str = "101室", hukou: str = "341822",
    moved: str = "2025-02-03", declared: str = "2025-02-05", evidence: str = "TH-2025-0017",
) -> str:  # fmt: skip
    return f"陈塘路1号,{room},{name},{number},{hukou},{moved},{declared},{evidence}\n"


def table_of(*lines: str) -> Table:
    content = (HEAD + "".join(lines)).encode()
    return read_table("登记.csv", content, PAPER_COLUMNS, required=PAPER_REQUIRED, dates=PAPER_DATES)


def import_papers(world: Any, *lines: str, login: str | None = None, **wishes: Any) -> RunView:
    importer = find_importer(login=login)
    return import_registrations(world, table=table_of(*lines), importer=importer, **wishes)


def registrations() -> list[Registration]:
    with reading() as session:
        return list(session.scalars(select(Registration).order_by(Registration.created_at, Registration.id)))


def test_a_paper_becomes_a_registration_of_its_day_and_goes_to_the_registry(core: Any, world: Any) -> None:
    stories.make_dwelling(world)
    officer = staff.make_officer(world)
    rehearsal = import_papers(world, line(), login=officer.login, dry_run=True)
    assert counts(rehearsal) == {"new": 1} and not registrations()
    assert counts(import_papers(world, line(), login=officer.login)) == {"new": 1}
    [row] = registrations()
    assert (row.declared_at, row.declared_by, row.scope, row.notice_version) == (DECLARED, "paper", "in_scope", None)
    with reading() as session:
        change = session.scalars(select(RegistrationChange)).one()
        assert (change.source, change.reason, change.actor_id) == ("import", "TH-2025-0017", officer.id)
        about = (row.id, row.person_id)
        sources = session.scalars(select(FieldSource.source).where(FieldSource.object_id.in_(about))).all()
        assert set(sources) == {"import", "document"}, "birth and sex are the number's own word"
        leaf = session.scalars(select(AuditLeaf).where(AuditLeaf.action == "registration_declare")).one()
        assert leaf.subject_id == row.person_id
    for _ in range(3):
        process_once(world, sleep=lambda seconds: None)
    [sent] = registrations()
    assert sent.registry_state == "accepted" and sent.declared_at == DECLARED
    assert counts(import_papers(world, line(), login=officer.login)) == {"same": 1}
    assert faults(import_papers(world, line(declared="2025-03-01"))) == [(2, "id_number", "import.registered")]
    assert len(registrations()) == 1


def test_a_row_that_must_not_be_declared_says_why_and_leaves_nothing(core: Any, world: Any) -> None:
    stories.make_dwelling(world)
    far = staff.make_officer(world, area=staff.OTHER_STREET)
    assert faults(import_papers(world, line(), login=far.login)) == [(2, "address", "import.unit_area")]
    run = import_papers(
        world, line(hukou=""), line(CHILD, name="周小小"), line(OTHER, name="李二", room="999室"),
        line(OTHER, name="李二"), line(OTHER, name="李二"), line(moved="2010-01-01", declared="2025-01-01"),
    )  # fmt: skip
    assert [(field, code) for _, field, code in faults(run)] == [
        ("hukou_division", "input.missing"), (None, "household.guardian"), ("address", "import.unit_area"),
        ("id_number", "address.duplicate"), ("id_number", "address.duplicate"),
    ]  # fmt: skip
    assert counts(run) == {"new": 1, "failed": 5} and len(registrations()) == 1
    with pytest.raises(Refused, match=r"import\.no_officer"):
        find_importer(login="nobody")


def test_a_name_that_the_population_base_does_not_know_is_not_taken_over(core: Any, world: Any) -> None:
    stories.make_dwelling(world)
    run = import_papers(world, line(name=UNMATCHED_NAME))
    assert faults(run) == [(2, "name", "person.unmatched")] and not registrations()


def test_whoever_a_landlord_has_named_is_declared_under_that_lease(core: Any, world: Any) -> None:
    story = stories.make_invited(world)
    assert counts(import_papers(world, line(moved="2026-11-20", declared="2026-11-21"))) == {"new": 1}
    [row] = registrations()
    assert (row.id, row.lease_id, row.tenant_leg) == (story.registration_id, story.lease_id, "declared")
    with reading() as session:
        assert session.get_one(Lease, story.lease_id).tenant_id == row.person_id
        assert session.get_one(Key, story.key_id).holder_id == row.person_id


def test_a_landlords_list_behind_the_papers_joins_them(core: Any, world: Any) -> None:
    story = stories.make_let_unit(world)
    import_papers(world, line())
    [before] = registrations()
    run = take(world, story.landlord, lease_line())
    assert counts(run) == {"new": 1} and counts(take(world, story.landlord, lease_line())) == {"same": 1}
    [row] = registrations()
    assert (row.id, row.declared_at, row.landlord_leg) == (before.id, DECLARED, "reported")
    with reading() as session:
        lease = session.scalars(select(Lease)).one()
        assert (row.lease_id, lease.tenant_id) == (lease.id, row.person_id)


def test_who_came_back_later_is_registered_anew(core: Any, world: Any, clock: Any) -> None:
    stories.make_dwelling(world)
    import_papers(world, line())
    with transaction() as session:
        row = session.scalars(select(Registration)).one()
        row.residence, row.moved_out_on, row.moved_out_reason = "moved_out", date(2025, 12, 1), "left_county"
        change_registration(world, session, row, "check_out", SYSTEM, source="officer")
    clock.move(timedelta(minutes=1))
    assert counts(import_papers(world, line())) == {"kept": 1}
    assert counts(import_papers(world, line(moved="2026-02-03", declared="2026-02-05"))) == {"new": 1}
    assert [row.residence for row in registrations()] == ["moved_out", "living"]
