"""Whoever lives somewhere is registered there, also where the landlord has recorded no lease; the landlord is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.calendars import working_days_after
from backend.domain.ids import new_id
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.models.audit import AuditLeaf
from backend.models.cases import Case
from backend.models.outbox import OutboxRow
from backend.models.registrations import FieldSource, Registration, RegistrationChange
from backend.queries.discrepancies import list_discrepancies
from backend.queries.local_standards import standard_on
from backend.services.access_records import my_access_records
from backend.services.consents import answer_consent
from backend.services.disclosures import open_unit
from backend.services.door_files import look_at_door_file
from backend.services.duties import keep_duties
from backend.services.hands import Desk
from backend.services.households import add_co_resident
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.landlord_views import get_unit
from backend.services.leases import record_lease
from backend.services.own_duties import list_duties
from backend.services.registrations import check_out, declare
from backend.services.registry_items import build_item
from backend.services.stays import declare_without_lease
from backend.services.tenancies import get_tenancy, my_tenancies
from backend.services.visits import note_visit, plan_visit_of_unit
from backend.services.window_files import print_export_at_window
from backend.services.window_leases import take_lease
from backend.services.window_visits import link_phone, open_visit
from backend.wire.jwk import jwk_of, make_private_key
from backend.wire.registry_messages import Item
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.services.test_field_visits import make_team, plan, refused, visit_of

pytestmark = pytest.mark.usefixtures("core")
ENTRY: dict[str, Any] = {"channel": "window", "document_seen": True, "name": "周来福", "id_type": "111",
                         "id_number": stories.TENANT_NUMBER}  # fmt: skip
MOVED_IN_DAYS_AGO = 20


def read_out(world: Any, account_id: str, desk: Desk) -> None:
    notice = NOTICES["registration_notice"]
    answer_consent(
        world, account_id=account_id, purpose=notice.purpose, version=notice.version, given=True, desk=desk
    )


class Door:
    """A grid worker at the door of a let unit whose landlord has recorded nothing, with the person's document seen."""

    def __init__(self, world: Any, story: stories.Story) -> None:
        self.world, self.story, self.team = world, story, make_team(world)
        self.planned = plan(world, self.team, story.unit_id, "no_one_registered")
        self.visit = open_visit(world, session_id=self.team.walker, door_visit_id=self.planned, **ENTRY)
        self.desk = Desk(self.team.walker, self.visit.id)
        read_out(world, self.visit.account_id, self.desk)

    def declare(self, **changes: Any) -> Any:
        said = {"unit_id": self.story.unit_id, "basis": "oral", "hukou_division": "341822",
                "move_in_on": self.world.clock.today() - timedelta(days=MOVED_IN_DAYS_AGO), **changes}  # fmt: skip
        return declare_without_lease(self.world, account_id=self.visit.account_id, desk=self.desk, **said)


def lease(world: Any, story: stories.Story, **changes: Any) -> Any:
    values = {"kind": "room", "starts_on": world.clock.today(), "ends_on": None, "alias": "小周",
              "tenant_name": "周来福", "tenant_id_type": "111", "tenant_id_number": stories.TENANT_NUMBER,
              "tenant_phone": stories.TENANT_PHONE, **changes}  # fmt: skip
    return record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)


def row_of(registration_id: str) -> Registration:
    db.session.rollback()
    db.session.expire_all()
    return db.session.get_one(Registration, registration_id)


def test_a_person_met_at_the_door_is_registered_without_a_lease_and_can_note_so(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    file = look_at_door_file(world, session_id=door.team.walker, visit=door.visit, area=staff.STREET)
    assert file.may_declare and file.agreed
    made = door.declare()
    row = row_of(made.id)
    assert (row.basis, row.place_type, row.declared_by, row.lease_id) == ("oral", "30", "window", None)
    assert (row.declared_at, row.scope, row.landlord_leg) == (world.clock.now(), "in_scope", "due")
    assert row.landlord_due_on == working_days_after(world.clock.today(), 3), "runs from the day it could be known"
    sent = db.session.scalars(select(OutboxRow).where(OutboxRow.aggregate_id == row.id)).one()
    assert (sent.destination, sent.kind, sent.payload["leg"]) == ("registry", "UPSERT", "TENANT")
    source = select(FieldSource.source).where(FieldSource.object_id == row.id, FieldSource.field == "basis")
    assert db.session.scalars(source).all() == ["officer"]
    file = look_at_door_file(world, session_id=door.team.walker, visit=door.visit, area=staff.STREET)
    assert not file.may_declare and [home.registration_id for home in file.tenancies] == [row.id]
    note_visit(world, session_id=door.team.walker, visit_id=door.planned, note_id=new_id(), outcome="registered")
    assert visit_of(door.planned).outcome == "registered"
    leaf = select(AuditLeaf).where(AuditLeaf.action == "served_at_door", AuditLeaf.decision == "declare_without_lease")
    assert db.session.scalars(leaf).one().object_id == door.story.unit_id


def test_the_person_sees_the_registration_as_their_own_and_the_landlord_learns_no_name(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    made = door.declare()
    home = get_tenancy(world, account_id=door.visit.account_id, registration_id=made.id)
    assert (home.lease_id, home.key, home.basis, home.landlord_alias) == (None, None, "oral", "沈*")
    assert {task.kind for task in home.tasks} == {"notice", "identity", "face", "declare"}
    assert {task.state for task in home.tasks} == {"done"}
    seen = {record.action for record in my_access_records(world, account_id=door.visit.account_id, limit=50).items}
    assert "served_at_door" in seen
    heard = list_notices(world, account_id=door.story.landlord)
    told = [note for note in heard if note.kind == "declared_without_lease"]
    assert len(told) == 1 and "周来福" not in repr(told) and stories.TENANT_NUMBER not in repr(told)
    assert told[0].params["unit_id"] == door.story.unit_id
    assert get_unit(world, account_id=door.story.landlord, unit_id=door.story.unit_id).without_lease == 1
    [owed] = [duty for duty in list_duties(world, account_id=door.story.landlord) if duty.code == "report"]
    assert (owed.side, owed.lease_id, owed.unit_id) == ("landlord", None, door.story.unit_id)


def test_declared_without_a_landlords_report_is_a_discrepancy_and_becomes_a_case_when_he_stays_silent(
    world: Any, clock: Any
) -> None:
    door = Door(world, stories.make_let_unit(world))
    made = door.declare()

    def found() -> Any:
        db.session.rollback()
        standard = standard_on(db.session, world.house, world.clock.today())
        return list_discrepancies(staff.STREET, world.clock.today(), standard, "unreported")

    assert [(line.unit_id, line.case_reference) for line in found()] == [(door.story.unit_id, None)]
    clock.move(timedelta(days=14))
    while keep_duties(world):
        pass
    case = db.session.scalars(select(Case).where(Case.kind == "overdue_report")).one()
    assert (case.registration_id, case.rule) == (made.id, "ZJ-9-1")
    assert [line.case_reference for line in found()] == [case.reference]
    late = {note.kind for note in list_notices(world, account_id=door.story.landlord)}
    assert "report_overdue" in late
    lease(world, door.story)
    assert found() == ()


def test_a_lease_recorded_later_joins_the_same_registration_and_keeps_its_time(world: Any, clock: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    made = door.declare()
    declared_at = world.clock.now()
    clock.move(timedelta(hours=20))
    recorded = lease(world, door.story)
    assert recorded.registration_id == made.id
    row = row_of(made.id)
    assert (row.declared_at, row.landlord_leg, row.lease_id) == (declared_at, "reported", recorded.lease_id)
    assert [home.registration_id for home in my_tenancies(world, account_id=door.visit.account_id)] == [made.id]
    again = staff.make_session(world, "window_clerk", purpose="help_request")
    visit = open_visit(world, session_id=again, **ENTRY)
    taken = take_lease(
        world, account_id=visit.account_id, lease_id=recorded.lease_id, desk=Desk(again, visit.id)
    )
    assert taken.registration_id == made.id
    assert stories.key_row(taken.key_id).state == "active", "declared and verified already: nothing is left to wait for"
    assert get_unit(world, account_id=door.story.landlord, unit_id=door.story.unit_id).without_lease == 0


def test_whoever_lives_along_goes_on_under_the_lease_when_the_landlord_wrote_another_number(world: Any) -> None:
    """The tenant accepts a lease that names a wrong document: their first declaration's time stays, nobody is lost."""
    door = Door(world, stories.make_let_unit(world))
    made = door.declare()
    declared_at = world.clock.now()
    along = add_co_resident(
        world, account_id=door.visit.account_id, registration_id=made.id, relation="spouse", name="吴友", id_type="111",
        id_number=stories.CO_TENANT_NUMBER, move_in_on=world.clock.today(), told=True, hukou_division="341822",
        desk=door.desk,
    )  # fmt: skip
    link_phone(world, account_id=door.visit.account_id, phone=stories.TENANT_PHONE, desk=door.desk)
    recorded = lease(world, door.story, tenant_id_number=stories.sample_number("341822", door.world.clock.today()
                                                                               - timedelta(days=12000)))  # fmt: skip
    assert recorded.registration_id != made.id
    link = invite_tenant(world, account_id=door.story.landlord, lease_id=recorded.lease_id).link
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=door.visit.account_id, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    declare(world, account_id=door.visit.account_id, registration_id=recorded.registration_id,
            move_in_on=world.clock.today())  # fmt: skip
    assert (row_of(made.id).residence, row_of(made.id).void_reason) == ("voided", "duplicate")
    assert row_of(recorded.registration_id).declared_at == declared_at
    assert row_of(along.registration_id).household_of_id == recorded.registration_id


def test_a_guest_is_registered_and_the_landlord_owes_and_hears_nothing(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    row = row_of(door.declare(basis="hosted").id)
    assert (row.place_type, row.landlord_due_on) == ("23", None)
    kinds = {note.kind for note in list_notices(world, account_id=door.story.landlord)}
    assert "declared_without_lease" not in kinds
    assert get_unit(world, account_id=door.story.landlord, unit_id=door.story.unit_id).without_lease == 0


def test_a_guest_who_gets_a_lease_lives_in_a_let_dwelling_and_so_does_who_lives_along(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    made = door.declare(basis="hosted")
    along = add_co_resident(
        world, account_id=door.visit.account_id, registration_id=made.id, relation="spouse", name="吴友", id_type="111",
        id_number=stories.CO_TENANT_NUMBER, move_in_on=world.clock.today(), told=True, hukou_division="341822",
        desk=door.desk,
    )  # fmt: skip
    ids = (made.id, along.registration_id)
    assert [row_of(each).place_type for each in ids] == ["23", "23"]
    recorded = lease(world, door.story)
    assert recorded.registration_id == made.id
    assert [row_of(each).place_type for each in ids] == ["30", "30"]
    for each in ids:
        rows = select(OutboxRow).where(OutboxRow.aggregate_id == each, OutboxRow.destination == "registry")
        told = [(row.kind, row.payload["leg"]) for row in db.session.scalars(rows.order_by(OutboxRow.id))]
        assert told[:2] == [("UPSERT", "TENANT"), ("AMEND", "TENANT")]
        row = row_of(each)
        item = build_item(world, db.session, row, op="AMEND", leg="TENANT", version=row.version)
        assert isinstance(item, Item) and item.payload["place_type"] == "30"
        change = select(RegistrationChange).where(
            RegistrationChange.registration_id == each, RegistrationChange.action == "lease_joined"
        )
        assert [row.fields for row in db.session.scalars(change)] == [["place_type"]]


def test_a_unit_that_nobody_has_enrolled_is_no_reason_to_send_anybody_away(world: Any) -> None:
    dwelling_id, rooms = stories.make_dwelling(world)
    team = make_team(world)
    planned = plan_visit_of_unit(world, session_id=team.walker, unit_id=rooms[0], ground="not_enrolled",
                                 assignee_id=team.walker_id, due_on=world.clock.today())  # fmt: skip
    visit = open_visit(world, session_id=team.walker, door_visit_id=planned, **ENTRY)
    desk = Desk(team.walker, visit.id)
    read_out(world, visit.account_id, desk)
    said = {"basis": "lease_unrecorded", "move_in_on": world.clock.today(), "hukou_division": "341822"}
    made = declare_without_lease(world, account_id=visit.account_id, unit_id=rooms[0], desk=desk, **said)
    home = get_tenancy(world, account_id=visit.account_id, registration_id=made.id)
    assert (home.landlord_alias, home.registration.state) == (None, "declared")
    with refused("field.elsewhere"):
        declare_without_lease(world, account_id=visit.account_id, unit_id=rooms[1], desk=desk, **said)


def test_what_is_refused_says_why(world: Any) -> None:
    story = stories.make_let_unit(world)
    door = Door(world, story)
    with pytest.raises(Refused) as caught:
        door.declare(basis="because")
    assert (caught.value.refusal.code, caught.value.refusal.field) == ("registration.basis", "basis")
    with refused("registration.move_in"):
        door.declare(move_in_on=world.clock.today() + timedelta(days=1))
    with refused("input.missing"):
        door.declare(hukou_division=None)
    recorded = lease(world, story)
    with refused("stay.offered"):
        door.declare()
    taken = take_lease(world, account_id=door.visit.account_id, lease_id=recorded.lease_id, desk=door.desk)
    with refused("registration.already"):
        door.declare()
    assert row_of(taken.registration_id).basis is None


def test_the_same_form_sent_twice_is_one_registration_and_a_landlord_is_no_tenant_at_home(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    first = door.declare(idempotency_key="form-1")
    assert door.declare(idempotency_key="form-1").id == first.id
    with refused("registration.already"):
        door.declare(idempotency_key="form-2")
    session = staff.make_session(world, "window_clerk", purpose="help_request")
    owner = open_visit(world, session_id=session, **{**ENTRY, "name": "沈安一", "id_number": stories.LANDLORD_NUMBER})
    read_out(world, owner.account_id, Desk(session, owner.id))
    with refused("stay.own"):
        declare_without_lease(
            world, account_id=owner.account_id, unit_id=door.story.unit_id, basis="oral",
            move_in_on=world.clock.today(), desk=Desk(session, owner.id),
        )  # fmt: skip


def test_who_declared_without_a_lease_moves_out_like_anybody(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    made = door.declare()
    check_out(world, account_id=door.visit.account_id, registration_id=made.id, moved_out_on=world.clock.today(),
              reason="left_county")  # fmt: skip
    assert row_of(made.id).residence == "moved_out"
    assert get_unit(world, account_id=door.story.landlord, unit_id=door.story.unit_id).without_lease == 0


def test_staff_who_look_at_the_unit_see_why_there_is_no_lease(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    door.declare()
    page = open_unit(world, session_id=door.team.walker, unit_id=door.story.unit_id)
    [occupant] = page.occupants
    assert (occupant.residence.basis, occupant.residence.lease_starts_on, occupant.name) == ("oral", None, "周来福")


def test_the_persons_own_data_on_paper_says_why_there_is_no_lease(world: Any) -> None:
    door = Door(world, stories.make_let_unit(world))
    door.declare()
    session = staff.make_session(world, "window_clerk", purpose="help_request")
    visit = open_visit(world, session_id=session, **ENTRY)
    pdf = print_export_at_window(world, session_id=session, visit=visit, language="zh")
    assert "口头约定，没有书面租约" in "".join(line.text for line in PdfReader(pdf).lines())
