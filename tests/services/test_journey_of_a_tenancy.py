"""One tenancy through the services: lease, invitation, declaration, key, move-out; and every refusal on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.identity_authority import FakeAuthority
from backend.models.cases import Case
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.locks import Lock
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services.amendments import amend
from backend.services.identity_reviews import attest
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, cancel_invitation, invite_tenant, look_at_invitation
from backend.services.key_changes import confirm_doors
from backend.services.keys import fetch_credential, get_key, resume_key, revoke_key, suspend_key
from backend.services.landlord_views import get_lease, landlord_home
from backend.services.leases import end_lease, extend_lease, record_lease
from backend.services.persons import enter_identity, my_identity
from backend.services.registrations import answer_still_here, check_out, declare
from backend.services.tenancies import get_tenancy, my_tenancies
from backend.services.units import claim_lock, claim_unit
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def refused(code: str) -> Any:
    """Expect a refusal with this code."""
    return pytest.raises(Refused, match=f"^{code}$")


def registry_rows() -> list[OutboxRow]:
    db.session.rollback()
    return list(db.session.scalars(select(OutboxRow).where(OutboxRow.destination == "registry").order_by(OutboxRow.id)))


def test_the_key_becomes_active_with_identity_and_declaration_alone(world: Any) -> None:
    story = stories.make_declared(world, report_now=False)
    assert stories.key_row(story.key_id).state == "claimed"
    stories.verify_at_window(world, story.tenant)
    key = stories.key_row(story.key_id)
    assert key.state == "active"
    registration = db.session.get_one(Registration, story.registration_id)
    assert (registration.landlord_leg, registration.registry_state) == ("due", "unsent")
    assert "key_active" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]


def test_declaring_fixes_declared_at_and_sends_the_tenants_leg_then_the_landlords(world: Any) -> None:
    story = stories.make_declared(world)
    registration = db.session.get_one(Registration, story.registration_id)
    assert registration.declared_at == world.clock.now()
    assert [(row.kind, row.payload["leg"]) for row in registry_rows()] == [("UPSERT", "TENANT"), ("UPSERT", "LANDLORD")]


@pytest.mark.parametrize("hukou", ["330522"])
def test_a_person_of_the_same_county_is_never_sent(world: Any, hukou: str) -> None:
    story = stories.make_active(world, hukou=hukou)
    assert registry_rows() == []
    assert get_tenancy(world, account_id=story.tenant, registration_id=story.registration_id).registration.state == (
        "not_sent"
    )
    assert stories.key_row(story.key_id).state == "active"


def test_declaring_twice_changes_nothing_and_a_second_declaration_says_what_is_allowed(
    world: Any, clock: FixedClock
) -> None:
    story = stories.make_identified(world)
    values: dict[str, Any] = {"move_in_on": world.clock.today(), "hukou_division": "341822"}
    key = "once-1"
    first = declare(world, account_id=story.tenant, registration_id=story.registration_id, **values,
                    idempotency_key=key)  # fmt: skip
    clock.move(timedelta(days=1))
    again = declare(world, account_id=story.tenant, registration_id=story.registration_id, **values,
                    idempotency_key=key)  # fmt: skip
    assert again == first
    with refused("transition") as caught:
        declare(world, account_id=story.tenant, registration_id=story.registration_id, **values)
    assert caught.value.refusal.allowed == ("amend", "check_out", "request_void")
    with refused("input.key_reused"):
        declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=date(2026, 11, 1),
                idempotency_key=key)  # fmt: skip


def test_a_declaration_needs_notice_and_identity_and_names_every_fault(world: Any) -> None:
    story = stories.make_claimed(world)
    values: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    with refused("notice.missing"):
        declare(world, **values, move_in_on=world.clock.today())
    stories.read_notice(world, story.tenant)
    with refused("person.missing"):
        declare(world, **values, move_in_on=world.clock.today())
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    with pytest.raises(Refused) as caught:
        declare(world, **values, move_in_on=world.clock.today() + timedelta(days=1), reason="000")
    assert {r.field for r in caught.value.refusals} == {"move_in_on", "reason", "hukou_division"}
    assert db.session.get_one(Registration, story.registration_id).tenant_leg == "draft"


def test_a_minor_is_declared_by_the_guardian(world: Any) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    child = sample_number("341822", date(2012, 1, 1))
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=child, name="周小福")
    with refused("person.minor"):
        declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
                hukou_division="341822")  # fmt: skip


def test_an_invitation_shows_nothing_personal_and_is_bound_to_its_phone(world: Any) -> None:
    story = stories.make_invited(world)
    face = look_at_invitation(world, token=story.link_token)
    assert (face.landlord_alias, face.unit_alias, face.phone_masked) == ("沈*", "陈塘路1号 101室", "199******01")
    jwk = jwk_of(make_private_key().public_key())
    stranger = stories.make_account(world, "+8619900009999")
    with refused("invitation.other_phone"):
        accept_invitation(world, account_id=stranger, token=story.link_token, phone_jwk=jwk)
    tenant = stories.make_account(world, stories.TENANT_PHONE)
    with refused("key.phone_key"):
        accept_invitation(world, account_id=tenant, token=story.link_token, phone_jwk={"kty": "RSA"})
    first = accept_invitation(world, account_id=tenant, token=story.link_token, phone_jwk=jwk)
    assert accept_invitation(world, account_id=tenant, token=story.link_token, phone_jwk=jwk) == first
    with refused("invitation.used"):
        look_at_invitation(world, token=story.link_token)
    with refused("invitation.used"):
        accept_invitation(world, account_id=stranger, token=story.link_token, phone_jwk=jwk)


def test_an_old_link_dies_when_a_new_one_is_sent_cancelled_or_expired(world: Any, clock: FixedClock) -> None:
    story = stories.make_invited(world)
    fresh = invite_tenant(world, account_id=story.landlord, lease_id=story.lease_id).link.rsplit("/", 1)[1]
    with refused("invitation.cancelled"):
        look_at_invitation(world, token=story.link_token)
    clock.move(timedelta(days=7, seconds=1))
    with refused("invitation.expired"):
        look_at_invitation(world, token=fresh)
    cancel_invitation(world, account_id=story.landlord, lease_id=story.lease_id)
    assert stories.key_row(story.key_id).state == "draft"
    with refused("invitation.unknown"):
        look_at_invitation(world, token="x" * 32)


def test_the_landlord_sees_progress_and_none_of_the_answers(world: Any) -> None:
    story = stories.make_active(world)
    view = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert (view.progress.accepted, view.progress.identity, view.progress.declared) == (True, "verified", True)
    text = repr(view)
    for secret in ("周来福", stories.TENANT_NUMBER, stories.TENANT_PHONE, "341822"):
        assert secret not in text
    home = landlord_home(world, account_id=story.landlord)
    assert [unit.state for unit in home.units] == ["let"]


def test_a_difference_of_the_two_legs_is_named_without_its_content_and_goes_to_a_person(world: Any) -> None:
    other = sample_number("341822", date(1995, 6, 2))
    story = stories.make_declared(world, tenant_id_number=other)
    view = get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert view.progress.difference == "document"
    case = db.session.scalars(select(Case).where(Case.kind == "leg_difference")).one()
    assert case.rule == "PSAL-68"
    assert other not in repr(case.evidence)


def test_an_attestation_lets_the_tenant_in_and_is_due_for_review(world: Any) -> None:
    story = stories.make_declared(world)
    with refused("attestation.words"):
        attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=False)
    state = attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    assert state.state == "attested"
    assert state.review_due_at == world.clock.now() + timedelta(hours=72)
    assert stories.key_row(story.key_id).state == "active"
    assert db.session.scalars(select(Case.kind).where(Case.kind == "identity_review")).all() == ["identity_review"]
    again = attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    assert again == state


def test_an_attestation_for_another_document_than_reported_is_refused(world: Any) -> None:
    story = stories.make_declared(world, tenant_id_number=sample_number("341822", date(1995, 6, 2)))
    with refused("attestation.differs"):
        attest(world, account_id=story.landlord, lease_id=story.lease_id, met_in_person=True, saw_document=True)
    assert stories.key_row(story.key_id).state == "claimed"


@pytest.mark.parametrize("ground", [None, "both_agreed", "court_order", "check_out", "rent"])
def test_a_landlord_cannot_take_an_occupants_key_away(world: Any, ground: str | None) -> None:
    story = stories.make_active(world)
    for take in (suspend_key, revoke_key):
        with refused("key.ground") as caught:
            take(world, account_id=story.landlord, key_id=story.key_id, ground=ground)
        assert caught.value.refusal.reason.rule == "HR-12"
    assert stories.key_row(story.key_id).state == "active"


def test_the_planned_end_of_a_lease_leaves_the_key_alive(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world, ends_on=date(2026, 12, 31))
    clock.move(timedelta(days=100))
    assert stories.key_row(story.key_id).state == "active"
    assert fetch_credential(world, account_id=story.tenant, key_id=story.key_id).doors
    with refused("key.ground"):
        revoke_key(world, account_id=story.landlord, key_id=story.key_id, ground="lease_end")


def test_the_holder_may_suspend_resume_and_revoke_the_own_key(world: Any) -> None:
    story = stories.make_active(world)
    assert suspend_key(world, account_id=story.tenant, key_id=story.key_id).state == "suspended"
    with refused("key.not_active"):
        fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    assert resume_key(world, account_id=story.tenant, key_id=story.key_id).state == "active"
    assert revoke_key(world, account_id=story.tenant, key_id=story.key_id).state == "revoking"
    with refused("transition") as caught:
        resume_key(world, account_id=story.tenant, key_id=story.key_id)
    assert caught.value.refusal.allowed == ("confirm",)


def test_a_landlord_cannot_wake_a_key_that_its_holder_put_to_sleep(world: Any) -> None:
    story = stories.make_active(world)
    suspend_key(world, account_id=story.tenant, key_id=story.key_id)
    with refused("key.suspended_by_holder"):
        resume_key(world, account_id=story.landlord, key_id=story.key_id)
    assert stories.key_row(story.key_id).state == "suspended"


def test_a_revocation_is_done_when_the_door_confirms_or_its_exposure_is_over(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    credential = fetch_credential(world, account_id=story.tenant, key_id=story.key_id)
    card = revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    exposure = card.doors[0].exposure_until
    assert exposure == credential.expires_at + timedelta(days=30, minutes=5)

    lock = db.session.scalars(select(Lock)).one()
    wanted = lock.list_version
    with transaction() as session:
        confirm_doors(world, session, lock.id, wanted - 1)
    assert stories.key_row(story.key_id).state == "revoking"
    with transaction() as session:
        confirm_doors(world, session, lock.id, wanted)
    done = get_key(world, account_id=story.tenant, key_id=story.key_id)
    assert (done.state, done.doors[0].exposure_until) == ("revoked", None)


def test_checking_out_revokes_the_key_tells_the_registry_and_ends_the_lease_once(world: Any) -> None:
    story = stories.make_active(world)
    values: dict[str, Any] = {"moved_out_on": world.clock.today(), "reason": "lease_end", "idempotency_key": "out-1"}
    first = check_out(world, account_id=story.tenant, registration_id=story.registration_id, **values)
    again = check_out(world, account_id=story.tenant, registration_id=story.registration_id, **values)
    assert first == again
    assert first.state == "moved_out"
    assert stories.key_row(story.key_id).state == "revoking"
    assert db.session.get_one(Lease, story.lease_id).state == "ended"
    assert [row.kind for row in registry_rows()].count("CHECKOUT") == 1


def test_left_against_still_here_is_disputed_and_the_key_stays_alive(world: Any) -> None:
    story = stories.make_active(world)
    ended = end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert ended.state == "waiting_for_tenant"
    view = answer_still_here(world, account_id=story.tenant, registration_id=story.registration_id)
    assert view.state == "disputed"
    assert view.case_reference is not None
    assert stories.key_row(story.key_id).state == "active"
    assert "still_here" in [notice.kind for notice in list_notices(world, account_id=story.landlord)]


def test_a_lease_nobody_accepted_ends_at_once(world: Any) -> None:
    story = stories.make_invited(world)
    ended = end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert ended.state == "ended"
    assert stories.key_row(story.key_id).state == "revoked"


def test_an_extension_moves_the_key_in_place_and_cannot_shorten(world: Any) -> None:
    story = stories.make_active(world)
    later = world.clock.today() + timedelta(days=500)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=later)
    key = stories.key_row(story.key_id)
    assert (key.ends_on, key.state) == (later, "active")
    with refused("lease.shorten"):
        extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=later - timedelta(days=1))


def test_the_next_tenants_key_raises_the_epoch_of_the_lock(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
              reason="lease_end")  # fmt: skip
    assert db.session.scalars(select(Lock.epoch)).one() == 1
    clock.move(timedelta(days=1))
    number = sample_number("411522", date(1999, 9, 9))
    made = record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                        starts_on=world.clock.today(), ends_on=None, alias="下一位", tenant_name="吴远行",
                        tenant_id_type="111", tenant_id_number=number, tenant_phone="+8619900009102")  # fmt: skip
    token = invite_tenant(world, account_id=story.landlord, lease_id=made.lease_id).link.rsplit("/", 1)[1]
    tenant = stories.make_account(world, "+8619900009102")
    accept_invitation(world, account_id=tenant, token=token, phone_jwk=jwk_of(make_private_key().public_key()))
    stories.read_notice(world, tenant)
    enter_identity(world, account_id=tenant, id_type="111", id_number=number, name="吴远行")
    declare(world, account_id=tenant, registration_id=made.registration_id, move_in_on=world.clock.today(),
            hukou_division="411522")  # fmt: skip
    stories.verify_at_window(world, tenant)
    db.session.rollback()
    assert db.session.scalars(select(Lock.epoch)).one() == 2
    assert stories.key_row(made.key_id or "").epoch == 2
    assert stories.key_row(story.key_id).epoch == 1


def test_a_second_landlords_claim_goes_to_a_person_and_a_claimed_lock_stays(world: Any) -> None:
    story = stories.make_let_unit(world)
    rival = stories.make_landlord(world, "+8619900009002", sample_number("330522", date(1970, 1, 2)))
    claim = claim_unit(world, account_id=rival, unit_id=story.unit_id, right_kind="owner", evidence="证书")
    assert (claim.state, claim.case_reference is not None) == ("contested", True)
    with refused("unit.claimed"):
        claim_unit(world, account_id=story.landlord, unit_id=story.unit_id, right_kind="owner", evidence="证书")
    dwelling_id, rooms = stories.make_dwelling(world, door=9)
    claim_unit(world, account_id=rival, unit_id=rooms[0], right_kind="owner", evidence="证书")
    with refused("lock.claimed"):
        claim_lock(world, account_id=rival, unit_id=rooms[0], claim_code=story.identity.claim_code)
    unlike_printed = story.identity.claim_code.lower().removeprefix("anju-").replace("-", " ")
    again = claim_lock(world, account_id=story.landlord, unit_id=story.unit_id, claim_code=unlike_printed)
    assert again.lock_id == story.identity.lock_id
    with refused("lock.claim_code"):
        claim_lock(world, account_id=rival, unit_id=rooms[0], claim_code="ANJU-0000-0000")
    with refused("unit.not_yours"):
        claim_lock(world, account_id=rival, unit_id=story.unit_id, claim_code=story.identity.claim_code)


def test_an_overlapping_lease_is_refused_by_its_dates(world: Any) -> None:
    story = stories.make_invited(world)
    with refused("lease.overlap"):
        record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                     starts_on=world.clock.today() + timedelta(days=5), ends_on=None, alias="二",
                     tenant_name="吴远行", tenant_id_type="111",
                     tenant_id_number=sample_number("411522", date(1999, 9, 9)),
                     tenant_phone="+8619900009102")  # fmt: skip
    assert len(db.session.scalars(select(Lease)).all()) == 1
    assert len(db.session.scalars(select(Key)).all()) == 1


def test_a_lease_names_every_faulty_field_of_the_tenant(world: Any) -> None:
    story = stories.make_let_unit(world)
    with pytest.raises(Refused) as caught:
        record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                     starts_on=world.clock.today(), ends_on=None, alias="一", tenant_name="周1",
                     tenant_id_type="111", tenant_id_number="330522199001010002", tenant_phone="12")  # fmt: skip
    assert [r.field for r in caught.value.refusals] == ["tenant_name", "tenant_id_number", "tenant_phone"]
    with refused("lease.own"):
        record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                     starts_on=world.clock.today(), ends_on=None, alias="一", tenant_name="沈安一",
                     tenant_id_type="111", tenant_id_number=stories.LANDLORD_NUMBER,
                     tenant_phone="19900009101")  # fmt: skip


def test_one_document_belongs_to_one_account_and_is_sealed(world: Any) -> None:
    stories.make_landlord(world)
    other = stories.make_account(world, "+8619900009777")
    with refused("document.taken"):
        enter_identity(world, account_id=other, id_type="111", id_number=stories.LANDLORD_NUMBER, name="沈安一")
    person = db.session.scalars(select(Person)).one()
    for column in (person.id_number_sealed, person.name_sealed, person.birth_on_sealed, person.id_number_token):
        assert stories.LANDLORD_NUMBER.encode() not in column
        assert "沈安一".encode() not in column


def test_entering_the_same_identity_again_changes_nothing_and_another_is_refused(world: Any) -> None:
    landlord = stories.make_landlord(world)
    first = my_identity(world, account_id=landlord)
    stories.make_landlord(world)
    assert my_identity(world, account_id=landlord) == first
    with refused("person.already"):
        enter_identity(world, account_id=landlord, id_type="111", name="沈安一",
                       id_number=sample_number("330522", date(1966, 2, 3)))  # fmt: skip


def test_another_accounts_things_are_not_found(world: Any) -> None:
    story = stories.make_active(world)
    stranger = stories.make_landlord(world, "+8619900009002", sample_number("330522", date(1970, 1, 2)))
    with refused("not_found"):
        get_lease(world, account_id=stranger, lease_id=story.lease_id)
    with refused("not_found"):
        get_key(world, account_id=stranger, key_id=story.key_id)
    with refused("not_found"):
        get_tenancy(world, account_id=stranger, registration_id=story.registration_id)
    with refused("not_found"):
        fetch_credential(world, account_id=story.landlord, key_id=story.key_id)
    assert my_tenancies(world, account_id=stranger) == ()


def test_an_amendment_goes_out_again_and_leaves_the_time_of_declaration(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    declared_at = world.clock.now()
    clock.move(timedelta(days=2))
    values: dict[str, Any] = {"move_in_on": world.clock.today() - timedelta(days=2), "reason": "206"}
    for _ in range(2):
        view = amend(world, account_id=story.tenant, registration_id=story.registration_id, **values)
    assert (view.declared_at, view.reason) == (declared_at, "206")
    assert [row.kind for row in registry_rows()].count("AMEND") == 1
    with pytest.raises(Refused) as caught:
        amend(world, account_id=story.tenant, registration_id=story.registration_id, reason="000",
              move_in_on=world.clock.today() + timedelta(days=1))  # fmt: skip
    assert {r.field for r in caught.value.refusals} == {"move_in_on", "reason"}


def test_a_returned_registration_is_sent_again_even_unchanged(world: Any) -> None:
    story = stories.make_active(world)
    with transaction() as session:
        session.get_one(Registration, story.registration_id).registry_state = "rejected"
    same = {"move_in_on": world.clock.today(), "planned_end_on": None, "reason": None}
    view = amend(world, account_id=story.tenant, registration_id=story.registration_id, **same)
    assert view.state == "declared"
    assert [row.kind for row in registry_rows()].count("AMEND") == 1


def test_who_lives_there_gets_the_lease_extended_and_not_a_second_one(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world, ends_on=world.clock.today() + timedelta(days=10))
    clock.move(timedelta(days=20))
    with refused("lease.same_tenant"):
        record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room",
                     starts_on=world.clock.today(), ends_on=None, alias="续", tenant_name="周来福",
                     tenant_id_type="111", tenant_id_number=stories.TENANT_NUMBER,
                     tenant_phone=stories.TENANT_PHONE)  # fmt: skip


def test_a_manager_whose_mandate_is_over_changes_nothing_any_more(world: Any, clock: FixedClock) -> None:
    manager = stories.make_landlord(world)
    _dwelling, rooms = stories.make_dwelling(world)
    claim_unit(world, account_id=manager, unit_id=rooms[0], right_kind="mandate", evidence="委托书",
               mandate_ends_on=world.clock.today() + timedelta(days=30))  # fmt: skip
    values: dict[str, Any] = {
        "unit_id": rooms[0], "kind": "room", "starts_on": world.clock.today() + timedelta(days=31), "ends_on": None,
        "alias": "一", "tenant_name": "周来福", "tenant_id_type": "111", "tenant_id_number": stories.TENANT_NUMBER,
        "tenant_phone": stories.TENANT_PHONE,
    }  # fmt: skip
    clock.move(timedelta(days=31))
    with refused("right.mandate_over"):
        record_lease(world, account_id=manager, **values)


def test_an_authority_that_was_away_is_asked_again_by_the_same_entry(world: Any) -> None:
    away = replace(world, authority=FakeAuthority(available=False))
    account = stories.make_account(away, stories.LANDLORD_PHONE)
    entry: dict[str, Any] = {"id_type": "111", "id_number": stories.LANDLORD_NUMBER, "name": "沈安一"}
    assert not enter_identity(away, account_id=account, **entry).document_checked
    assert enter_identity(world, account_id=account, **entry).document_checked
    assert len(db.session.scalars(select(Person)).all()) == 1
