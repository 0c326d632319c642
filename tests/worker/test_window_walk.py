"""A whole tenancy of two people who never touch a phone, at the window and at the real registry."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.notices import NOTICES
from backend.models.accounts import Account
from backend.models.audit import AuditLeaf
from backend.models.consents import Consent
from backend.models.notices import Notice
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.access_records import my_access_records
from backend.services.amendments import amend
from backend.services.consents import answer_consent
from backend.services.duties import keep_duties
from backend.services.guardians import enter_child
from backend.services.household_children import declare_child
from backend.services.households import add_co_resident
from backend.services.leases import end_lease, record_lease
from backend.services.letters import list_letters, print_letter_pdf
from backend.services.lock_manifests import import_locks
from backend.services.officer_sessions import begin_task, step_up
from backend.services.registrations import check_out, declare
from backend.services.units import claim_lock, claim_unit
from backend.services.window_files import (
    look_at_file,
    print_access_at_window,
    print_export_at_window,
    print_landlord_receipt_at_window,
    print_receipt_at_window,
)
from backend.services.window_leases import hand_out_mechanical_key, print_own_codes, take_lease
from backend.services.window_visits import Visit, end_visit, open_visit
from device_sim.identities import make_identity
from tests.printing.pdf_words import PdfReader
from tests.services import staff, stories
from tests.worker.telling import Telling

NOTICE = NOTICES["registration_notice"].version
WIFE = sample_number("341822", date(1997, 8, 9))


def words_of(pdf: bytes) -> str:
    return " ".join(line.text for line in PdfReader(pdf).lines())


def at_window(world: Any, session_id: str, name: str, number: str) -> Visit:
    return open_visit(world, session_id=session_id, channel="window", document_seen=True, name=name, id_type="111",
                      id_number=number)  # fmt: skip


def let_a_room(world: Any, session_id: str) -> tuple[Visit, str]:
    """The landlord at the window: notice, unit, lock, lease."""
    visit = at_window(world, session_id, "沈安一", stories.LANDLORD_NUMBER)
    desk, who = visit.desk(session_id), visit.account_id
    answer_consent(world, account_id=who, purpose="registration_notice", version=NOTICE, given=True, desk=desk)
    _, (unit_id, _) = stories.make_dwelling(world)
    claim_unit(world, account_id=who, unit_id=unit_id, right_kind="owner", evidence="不动产权证书", desk=desk)
    identity = make_identity(7, 1)
    import_locks(world, [identity.public_part()])
    claim_lock(world, account_id=who, unit_id=unit_id, claim_code=identity.claim_code, desk=desk)
    stories.give_keypad(identity.lock_id)
    today = world.clock.today()
    made = record_lease(
        world, account_id=who, unit_id=unit_id, kind="room", starts_on=today, ends_on=today + timedelta(days=365),
        alias="老周", tenant_name="周来福", tenant_id_type="111", tenant_id_number=stories.TENANT_NUMBER,
        tenant_phone="", idempotency_key="lease-1", desk=desk,
    )  # fmt: skip
    return visit, made.lease_id


def move_in(world: Any, session_id: str, lease_id: str) -> tuple[Visit, str]:
    """The tenant at the window: notice, lease, declaration, wife and child."""
    visit = at_window(world, session_id, "周来福", stories.TENANT_NUMBER)
    desk, who, today = visit.desk(session_id), visit.account_id, world.clock.today()
    answer_consent(world, account_id=who, purpose="registration_notice", version=NOTICE, given=True, desk=desk)
    [offer] = look_at_file(world, session_id=session_id, visit=visit, area=staff.STREET).offers
    assert offer.lease_id == lease_id
    taken = take_lease(world, account_id=who, lease_id=lease_id, desk=desk)
    assert take_lease(world, account_id=who, lease_id=lease_id, desk=desk) == taken
    home = taken.registration_id
    declare(world, account_id=who, registration_id=home, move_in_on=today, hukou_division="341822", desk=desk)
    assert stories.key_row(taken.key_id).state == "active", "identity, declaration and lease were seen at the counter"
    add_co_resident(
        world, account_id=who, registration_id=home, relation="spouse", name="郑小芳", id_type="111", id_number=WIFE,
        move_in_on=today, told=True, hukou_division="341822", desk=desk,
    )  # fmt: skip
    child = enter_child(
        world, account_id=who, name="周小福", id_type="111", relation="father", notice_version=NOTICE, desk=desk,
        id_number=sample_number("341822", today.replace(year=today.year - 10)),
    )  # fmt: skip
    declare_child(world, account_id=who, registration_id=home, child_id=child.person_id, move_in_on=today,
                  hukou_division="341822", desk=desk)  # fmt: skip
    step_up(world, session_id=session_id, password=staff.PASSWORD)
    assert len(print_own_codes(world, account_id=who, registration_id=home, desk=desk).days) == 37
    hand_out_mechanical_key(world, account_id=who, registration_id=home, desk=desk)
    return visit, home


def leave(world: Any, session_id: str, home: str) -> Visit:
    visit = at_window(world, session_id, "周来福", stories.TENANT_NUMBER)
    who, desk = visit.account_id, visit.desk(session_id)
    members = db.session.scalars(select(Registration.id).where(Registration.household_of_id == home)).all()
    check_out(world, account_id=who, registration_id=home, moved_out_on=world.clock.today(), reason="left_county",
              leaving_too=list(members), desk=desk)  # fmt: skip
    return visit


def letters_of(kind: str) -> list[str]:
    return [line.id for line in list_letters(staff.STREET) if line.kind == kind]


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_a_tenancy_without_any_phone_from_the_lease_to_the_receipt_and_the_check_out(telling: Telling) -> None:
    world = telling.world
    session_id = staff.make_session(world, "window_clerk", purpose="help_request")
    host, lease_id = let_a_room(world, session_id)
    visit, home = move_in(world, session_id, lease_id)
    telling.passes()
    pdf = print_receipt_at_window(world, session_id=session_id, visit=visit, registration_id=home, kind="declaration",
                                  language="zh")  # fmt: skip
    receipt_no = telling.stored(home).receipt_no
    assert receipt_no and receipt_no in words_of(pdf) and stories.TENANT_NUMBER not in words_of(pdf)
    assert telling.receipt(home).declared_at == db.session.get_one(Registration, home).declared_at
    slip = print_landlord_receipt_at_window(world, session_id=session_id, visit=host, lease_id=lease_id, language="en")
    assert "周来福" not in words_of(slip)
    amend(world, account_id=visit.account_id, registration_id=home, move_in_on=world.clock.today(), reason="204",
          desk=visit.desk(session_id))  # fmt: skip
    [letter] = letters_of("registration_accepted")
    printed = words_of(print_letter_pdf(world, session_id=session_id, letter_id=letter, language="zh"))
    assert receipt_no in printed and "周来福" in printed and letters_of("registration_accepted") == []
    end_visit(world, session_id=session_id, visit_id=visit.id)
    telling.move(days=358)
    again = staff.sign_in(world, staff.make_officer(world, "officer"))
    begin_task(world, session_id=again, purpose="help_request")
    while keep_duties(world):
        pass
    assert letters_of("permit_open") and letters_of("lease_ends"), [line.kind for line in list_letters(staff.STREET)]
    last = leave(world, again, home)
    telling.passes()
    out = print_receipt_at_window(world, session_id=again, visit=last, registration_id=home, kind="check_out",
                                  language="zh")  # fmt: skip
    assert telling.stored(home).checkout_receipt_no in words_of(out)
    host = at_window(world, again, "沈安一", stories.LANDLORD_NUMBER)
    end_lease(world, account_id=host.account_id, lease_id=lease_id, ended_on=world.clock.today(), desk=host.desk(again))
    check_what_is_kept(world, again, last, home)


def check_what_is_kept(world: Any, session_id: str, visit: Visit, home: str) -> None:
    """Nothing was sent to a phone; every hand was an officer's, and the person reads it."""
    db.session.rollback()
    assert db.session.scalars(select(Account).where(Account.phone_token.is_not(None))).all() == []
    assert db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "sms")).all() == []
    assert {row.channel for row in db.session.scalars(select(Consent))} == {"window"}
    assert all(row.officer_id for row in db.session.scalars(select(Consent)))
    assert db.session.scalars(select(AuditLeaf).where(AuditLeaf.actor_kind == "resident")).all() == []
    stored = db.session.get_one(Registration, home)
    assert (stored.declared_by, stored.residence, stored.moved_out_by) == ("window", "moved_out", "self")
    seen = list(my_access_records(world, account_id=visit.account_id, limit=500).items)
    acts = {item.decision for item in seen if item.action == "served_at_window"}
    assert {"open_file", "take_lease", "declare", "add_co_resident", "check_out", "print_receipt"} <= acts
    assert "mechanical_key_handed" in {item.action for item in seen}
    assert db.session.scalars(select(Notice).where(Notice.account_id == visit.account_id)).first() is not None
    paper = words_of(print_access_at_window(world, session_id=session_id, visit=visit, language="zh"))
    assert "在窗口为您办理" in paper and "太湖派出所" in paper
    own = words_of(print_export_at_window(world, session_id=session_id, visit=visit, language="en"))
    assert stories.TENANT_NUMBER not in own and re.search("R-330522003", own)
