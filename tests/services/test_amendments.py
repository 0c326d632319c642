"""Changes with their day, the scope that follows them, and the one thing no use case ever changes: `declared_at`."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.keys import Key
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration, RegistrationChange
from backend.services.amendments import amend
from backend.services.exemptions import declare_exempt
from backend.services.foreign_paths import hand_out_foreign_form, mark_foreign_done
from backend.services.housekeeping import OFTEN, keep_house
from backend.services.leases import end_lease, extend_lease
from backend.services.registrations import answer_still_here, check_out, declare
from backend.services.registry_items import NothingToSend, build_item
from backend.services.voids import request_void, withdraw_draft
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
RECEIPT: dict[str, Any] = {"receipt_no": "R-330522003-20261123-000001-5", "receipt_token": "x",
                           "registry_state": "accepted"}  # fmt: skip


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def sent() -> list[tuple[str, str]]:
    """What lies in the registry's outbox: operation and leg, in order."""
    db.session.rollback()
    rows = db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id))
    return [(row.kind, row.payload["leg"]) for row in rows]


def registration_of(story: stories.Story) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, story.registration_id)


def accept_there(story: stories.Story) -> None:
    """The registry has accepted what was declared."""
    with transaction() as session:
        for name, value in RECEIPT.items():
            setattr(session.get_one(Registration, story.registration_id), name, value)


def built(world: Any, story: stories.Story, op: str) -> Any:
    with transaction() as session:
        row = session.get_one(Registration, story.registration_id)
        return build_item(world, session, row, op=op, leg="TENANT", version=row.version)


def test_a_late_change_is_taken_shown_as_late_and_has_no_consequence(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    moved_in = world.clock.today()
    clock.move(timedelta(days=20))
    today = world.clock.today()
    values: dict[str, Any] = {"move_in_on": moved_in, "planned_end_on": None}
    view = amend(world, **mine, **values, reason="206", changed_on=today - timedelta(days=11))
    assert (view.change_late, view.change_due_on) == (True, today - timedelta(days=1))
    view = amend(world, **mine, **values, reason="204", changed_on=today - timedelta(days=10))
    assert (view.change_late, view.state) == (False, "declared")
    assert stories.key_row(story.key_id).state == "active"
    for changed_on, code in ((today + timedelta(days=1), "input.future_date"),
                             (moved_in - timedelta(days=1), "registration.changed_on")):  # fmt: skip
        with refused(code):
            amend(world, **mine, **values, reason="999", changed_on=changed_on)


def test_answers_read_at_another_version_are_refused_and_the_same_ones_change_nothing(world: Any) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id,
                            "move_in_on": world.clock.today()}  # fmt: skip
    read_at = registration_of(story).version
    assert amend(world, **mine, reason="206", version=read_at).version == read_at + 1
    assert amend(world, **mine, reason="206", version=read_at).version == read_at + 1  # a repeated submit
    with refused("stale"):
        amend(world, **mine, reason="207", version=read_at)


def test_another_room_is_no_correction_and_the_refusal_says_what_to_do(world: Any) -> None:
    story = stories.make_active(world)
    with refused("registration.other_unit") as caught:
        amend(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
              unit_id=story.dwelling_id)  # fmt: skip
    assert "Check out" in caught.value.refusal.remedy("en")


def test_who_becomes_local_is_checked_out_there_and_lives_on(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    moved_in, declared_at = world.clock.today(), registration_of(story).declared_at
    accept_there(story)
    clock.move(timedelta(days=30))
    changed_on = world.clock.today() - timedelta(days=2)
    view = amend(world, **mine, move_in_on=moved_in, hukou_division="330522", changed_on=changed_on)
    assert (view.state, view.rule, view.residence) == ("not_sent", "ZJ-2", "living")
    assert view.declared_at == declared_at and stories.key_row(story.key_id).state == "active"
    assert sent()[-1] == ("CHECKOUT", "TENANT")
    assert dict(built(world, story, "CHECKOUT").payload) == {
        "receipt_no": RECEIPT["receipt_no"], "moved_out_on": changed_on.isoformat(), "checkout_reason": "became_local",
    }  # fmt: skip
    assert built(world, story, "AMEND") == NothingToSend("scope out_of_scope")
    many = len(sent())
    amend(world, **mine, move_in_on=moved_in, reason="204")
    check_out(world, **mine, moved_out_on=world.clock.today(), reason="left_county")
    assert len(sent()) == many  # out of scope nothing more is told


def test_who_is_local_no_longer_is_registered_with_both_legs(world: Any) -> None:
    story = stories.make_active(world, hukou="330522")
    assert sent() == []
    view = amend(world, account_id=story.tenant, registration_id=story.registration_id,
                 move_in_on=world.clock.today(), hukou_division="341822")  # fmt: skip
    assert view.scope == "in_scope"
    assert sent() == [("UPSERT", "TENANT"), ("UPSERT", "LANDLORD")]


ACTIONS = ("amend", "extend", "left", "still_here", "exempt", "void", "withdraw", "form", "done", "declare", "house",
           "local", "back", "check_out")  # fmt: skip


def act(world: Any, story: stories.Story, action: str) -> None:
    """Try one use case; a refusal is as good an answer as any."""
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    today, row = world.clock.today(), registration_of(story)
    calls: dict[str, Any] = {
        "amend": lambda: amend(world, **mine, move_in_on=row.move_in_on, reason="204", changed_on=today),
        "extend": lambda: extend_lease(world, account_id=story.landlord, lease_id=story.lease_id,
                                       ends_on=today + timedelta(days=900)),
        "left": lambda: end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=today),
        "still_here": lambda: answer_still_here(world, **mine),
        "exempt": lambda: declare_exempt(world, **mine, exemption="hospital", move_in_on=today),
        "void": lambda: request_void(world, **mine, reason="duplicate"),
        "withdraw": lambda: withdraw_draft(world, **mine),
        "form": lambda: hand_out_foreign_form(world, **mine),
        "done": lambda: mark_foreign_done(world, **mine, done_on=today),
        "declare": lambda: declare(world, **mine, move_in_on=today, hukou_division="341822"),
        "house": lambda: keep_house(world, OFTEN),
        "local": lambda: amend(world, **mine, move_in_on=row.move_in_on, hukou_division="330522"),
        "back": lambda: amend(world, **mine, move_in_on=row.move_in_on, hukou_division="341822"),
        "check_out": lambda: check_out(world, **mine, moved_out_on=today, reason="left_county"),
    }  # fmt: skip
    try:
        calls[action]()
    except Refused as refusal:
        assert refusal.refusal.sentence("en")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("foreign", [False, True], ids=["local document", "passport"])
def test_whatever_happens_declared_at_stays_and_a_foreigner_is_never_sent(
    world: Any, clock: FixedClock, foreign: bool
) -> None:
    doors = 0

    @settings(max_examples=8)
    @given(st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=9))
    def play(actions: list[str]) -> None:
        nonlocal doors
        doors += 1
        story = make_another(world, doors, foreign)
        declared_at = registration_of(story).declared_at
        assert declared_at is not None
        for action in actions:
            clock.move(timedelta(hours=13))
            act(world, story, action)
            row = registration_of(story)
            assert row.declared_at == declared_at
            numbers = list(db.session.scalars(
                select(RegistrationChange.version).where(RegistrationChange.registration_id == row.id)
                .order_by(RegistrationChange.version)
            ))  # fmt: skip
            assert numbers == list(range(2, row.version + 1)), "each transition writes actor, reason and version"
            told = db.session.scalars(select(OutboxRow.kind).where(OutboxRow.aggregate_id == row.id)).all()
            assert not foreign or told == []
        if "check_out" not in actions:
            assert db.session.get_one(Key, story.key_id).state not in ("revoking", "revoked")

    play()


def make_another(world: Any, number: int, foreign: bool) -> stories.Story:
    """A declared tenant at a door of their own, with a passport or an identity card of their own."""
    from backend.seeding import sample_number
    from backend.services.invitations import accept_invitation, invite_tenant
    from backend.services.leases import record_lease
    from backend.services.persons import enter_identity
    from backend.services.units import claim_unit
    from backend.wire.jwk import jwk_of, make_private_key

    landlord = stories.make_landlord(world)
    dwelling_id, rooms = stories.make_dwelling(world, door=number)
    claim_unit(world, account_id=landlord, unit_id=rooms[0], right_kind="owner", evidence="不动产权证书")
    phone = f"+86199000092{number:02d}"
    id_type = "414" if foreign else "111"
    id_number = f"E{number:08d}" if foreign else sample_number("341822", date(1990, 1, 1) + timedelta(days=number))
    made = record_lease(world, account_id=landlord, unit_id=rooms[0], kind="room", starts_on=world.clock.today(),
                        ends_on=None, alias="客", tenant_name="ALEX SAMPLE" if foreign else "周来福",
                        tenant_id_type=id_type, tenant_id_number=id_number, tenant_phone=phone)  # fmt: skip
    link = invite_tenant(world, account_id=landlord, lease_id=made.lease_id).link
    tenant = stories.make_account(world, phone)
    accepted = accept_invitation(world, account_id=tenant, token=link.rsplit("/", 1)[1],
                                 phone_jwk=jwk_of(make_private_key().public_key()))  # fmt: skip
    stories.read_notice(world, tenant)
    enter_identity(world, account_id=tenant, id_type=id_type, id_number=id_number, birth_on=date(1990, 1, 1),
                   name="ALEX SAMPLE" if foreign else "周来福", nationality="DEU" if foreign else "CHN")  # fmt: skip
    declare(world, account_id=tenant, registration_id=made.registration_id, move_in_on=world.clock.today(),
            hukou_division=None if foreign else "341822")  # fmt: skip
    stories.verify_at_window(world, tenant)
    return stories.Story(landlord, rooms[0], dwelling_id, None, made.lease_id, made.registration_id,  # type: ignore[arg-type]
                         accepted.key_id or "", tenant)  # fmt: skip
