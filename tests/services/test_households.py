"""Who lives along: entered by the tenant, declared by a guardian, taken over by themselves, checked out (ZJ-7)."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from backend.bootstrap import core_app
from backend.db import db, transaction
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.keys import Key
from backend.models.outbox import OutboxRow
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.seeding import sample_number
from backend.services import declared_for, household_children, households, landlord_views, registrations, tenancies
from backend.services.amendments import amend
from backend.services.exemptions import declare_exempt
from backend.services.guardians import enter_child, withdraw_for_child
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.leases import record_lease
from backend.services.persons import enter_identity
from backend.services.registry_items import NothingToSend, build_item
from backend.wire.jwk import jwk_of, make_private_key
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
WIFE = sample_number("341822", date(1997, 8, 9))
WIFE_PHONE = "+8619900009301"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def add(world: Any, story: stories.Story, **changes: Any) -> households.MemberView:
    entry: dict[str, Any] = {
        "relation": "spouse", "name": "郑小芳", "id_type": "111", "id_number": WIFE, "told": True,
        "move_in_on": world.clock.today(), "hukou_division": "341822", **changes,
    }  # fmt: skip
    return households.add_co_resident(world, account_id=story.tenant, registration_id=story.registration_id, **entry)


def add_child(world: Any, story: stories.Story, **changes: Any) -> households.MemberView:
    entry: dict[str, Any] = {"move_in_on": world.clock.today(), "hukou_division": "341822", **changes}
    if "child_id" not in entry:
        entry["child_id"] = stories.make_child(world, story.tenant)
    return household_children.declare_child(
        world, account_id=story.tenant, registration_id=story.registration_id, **entry
    )


def row(registration_id: str) -> Registration:
    db.session.rollback()
    return db.session.get_one(Registration, registration_id)


def payload(world: Any, registration_id: str) -> Any:
    with transaction() as session:
        registration = session.get_one(Registration, registration_id, populate_existing=True)
        item = build_item(world, session, registration, op="UPSERT", leg="TENANT", version=registration.version)
        return item if isinstance(item, NothingToSend) else item.payload


def sent(registration_id: str) -> list[str]:
    rows = select(OutboxRow.kind).where(OutboxRow.aggregate_id == registration_id).order_by(OutboxRow.id)
    return list(db.session.scalars(rows))


def kinds(world: Any, account_id: str) -> list[str]:
    return [notice.kind for notice in list_notices(world, account_id=account_id)]


def claim(world: Any, phone: str = WIFE_PHONE) -> str:
    account = stories.make_account(world, phone)
    enter_identity(world, account_id=account, id_type="111", id_number=WIFE, name="郑小芳")
    return account


def test_a_relative_is_registered_with_a_record_a_deadline_and_no_key_of_their_own(world: Any) -> None:
    story = stories.make_declared(world)
    keys = db.session.scalar(select(func.count()).select_from(Key))
    member = add(world, story, move_in_on=world.clock.today() - timedelta(days=1))
    made = row(member.registration_id)
    assert (made.household_of_id, made.lease_id, made.declared_by) == (story.registration_id, None, "relative")
    assert (made.tenant_due_on, made.declared_at) == (world.clock.today() + timedelta(days=2), world.clock.now())
    assert (member.manages, member.state, member.relation) == ("you", "declared", "spouse")
    assert WIFE not in repr(member) and sent(made.id) == ["UPSERT"]
    said = payload(world, made.id)
    assert (said["name"], said["relation"], said["declared_by"]) == ("郑小芳", "spouse", "relative")
    assert not [name for name in said if name.startswith("guardian")]
    assert db.session.scalar(select(func.count()).select_from(Key)) == keys
    assert db.session.get_one(Person, made.person_id).identity_state == "none"


@pytest.mark.parametrize(
    ("changes", "scope"),
    [
        ({"hukou_division": "330522"}, "out_of_scope"),
        ({"id_type": "414", "id_number": "E12345678", "birth_on": date(1990, 1, 2), "name": "Ann Lee"}, "foreign"),
        ({}, "in_scope"),
    ],
)
def test_each_has_a_scope_of_their_own(world: Any, changes: dict[str, Any], scope: str) -> None:
    story = stories.make_declared(world)
    member = add(world, story, **changes)
    assert row(member.registration_id).scope == scope
    assert sent(member.registration_id) == (["UPSERT"] if scope == "in_scope" else [])


def test_the_list_counts_against_the_capacity_and_blocks_nobody(world: Any) -> None:
    story = stories.make_active(world)
    add(world, story)
    add_child(world, story)
    seen = households.list_household(world, account_id=story.tenant, registration_id=story.registration_id)
    assert (seen.living, seen.capacity, seen.over_capacity, len(seen.members)) == (3, 2, True, 2)
    assert seen.children == ()
    lease = landlord_views.get_lease(world, account_id=story.landlord, lease_id=story.lease_id)
    assert lease.residents == 3 and "郑小芳" not in repr(lease) and "周小福" not in repr(lease)


def test_the_same_person_again_is_the_same_record_and_elsewhere_in_the_unit_refused(world: Any) -> None:
    story = stories.make_declared(world)
    first = add(world, story, idempotency_key="add-1")
    assert add(world, story, idempotency_key="add-1") == first == add(world, story)
    with refused("input.key_reused"):
        add(world, story, relation="sibling", idempotency_key="add-1")
    other = stories.make_occupant(world, story, joint_with=story.lease_id)
    with refused("registration.already"):
        households.add_co_resident(
            world, account_id=other.account, registration_id=other.registration_id, relation="sibling", name="郑小芳",
            id_type="111", id_number=WIFE, told=True, move_in_on=world.clock.today(), hukou_division="341822",
        )  # fmt: skip
    assert db.session.scalar(select(func.count()).where(Registration.household_of_id.is_not(None))) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"told": False}, "household.told"),
        ({"hukou_division": None}, "input.missing"),
        ({"id_number": sample_number("341822", date(2015, 3, 4))}, "household.child"),
        ({"representation": "elderly"}, "household.unidentified"),
        ({"representation": "ill", "relation": "other"}, "household.kin"),
        ({"id_number": stories.TENANT_NUMBER, "name": "周来福"}, "registration.already"),
        ({"id_number": stories.TENANT_NUMBER}, "person.unmatched"),
        ({"move_in_on": date(2031, 1, 1)}, "registration.move_in"),
    ],
)
def test_a_faulty_entry_leaves_nothing_behind(world: Any, changes: dict[str, Any], code: str) -> None:
    story = stories.make_declared(world)
    with refused(code):
        add(world, story, **changes)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Registration.household_of_id.is_not(None))) == 0


def test_only_a_declared_tenant_has_a_household_and_only_their_own(world: Any) -> None:
    story = stories.make_identified(world)
    with refused("household.head"):
        add(world, story)
    with refused("not_found"):
        households.list_household(world, account_id=story.landlord, registration_id=story.registration_id)


def test_a_child_is_declared_by_its_guardian_with_the_relation_as_stored(world: Any) -> None:
    story = stories.make_active(world)
    stories.make_child(world, story.tenant)
    [waiting] = households.list_household(
        world, account_id=story.tenant, registration_id=story.registration_id
    ).children
    child = add_child(world, story, child_id=waiting.person_id, idempotency_key="child-1")
    assert child == add_child(world, story, child_id=waiting.person_id, idempotency_key="child-1")
    assert (child.relation, child.declared_by, child.manages) == ("child", "guardian", "you")
    said = payload(world, child.registration_id)
    assert (said["guardian_relation"], said["guardian_name"]) == ("mother", "周来福")
    assert (said["guardian_id_number"], said["declared_by"]) == (stories.TENANT_NUMBER, "guardian")
    with refused("not_found"):
        household_children.declare_child(
            world, account_id=story.landlord, registration_id=story.registration_id, child_id=waiting.person_id,
            move_in_on=world.clock.today(),
        )  # fmt: skip


def test_a_child_needs_its_guardians_standing_consent(world: Any) -> None:
    story = stories.make_active(world)
    child_id = stories.make_child(world, story.tenant)
    withdraw_for_child(world, account_id=story.tenant, child_id=child_id)
    with refused("household.consent"):
        add_child(world, story, child_id=child_id)


def test_a_child_that_rents_by_itself_is_declared_by_its_guardian_from_elsewhere(world: Any) -> None:
    number = sample_number("341822", date(2011, 3, 4))
    story = stories.make_claimed(world, tenant_id_number=number, tenant_name="周大福")
    stories.read_notice(world, story.tenant)
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=number, name="周大福")
    with refused("person.minor"):
        registrations.declare(
            world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
            hukou_division="341822",
        )  # fmt: skip
    parent = stories.make_account(world, "+8619900009302")
    enter_identity(world, account_id=parent, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    stories.verify_at_window(world, parent)
    child = enter_child(
        world, account_id=parent, name="周大福", id_type="111", id_number=number, relation="father",
        notice_version=NOTICES["registration_notice"].version,
    )  # fmt: skip
    [waiting] = household_children.list_childrens_leases(world, account_id=parent)
    assert (waiting.registration_id, waiting.child.person_id) == (story.registration_id, child.person_id)
    assert household_children.list_childrens_leases(world, account_id=story.tenant) == ()
    household_children.declare_child(
        world, account_id=parent, registration_id=story.registration_id, child_id=child.person_id,
        move_in_on=world.clock.today(), hukou_division="341822",
    )  # fmt: skip
    made = row(story.registration_id)
    assert (made.declared_by, made.relation, made.person_id) == ("guardian", None, child.person_id)
    assert stories.key_row(story.key_id).state == "active"
    with refused("person.minor"):
        amend(
            world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today()
        )


def test_who_lives_along_takes_the_record_over_by_name_and_number_and_sees_it_after_their_own_check(world: Any) -> None:
    story = stories.make_declared(world)
    member = add(world, story)
    stranger = stories.make_account(world, "+8619900009303")
    with refused("document.taken"):
        enter_identity(world, account_id=stranger, id_type="111", id_number=WIFE, name="郑小红")
    wife = claim(world)
    assert db.session.get_one(Account, wife).person_id == row(member.registration_id).person_id
    assert tenancies.my_tenancies(world, account_id=wife) == ()
    with refused("not_found"):
        tenancies.get_tenancy(world, account_id=wife, registration_id=member.registration_id)
    stories.verify_at_window(world, wife)
    [home] = tenancies.my_tenancies(world, account_id=wife)
    assert (home.registration_id, home.lives_along, home.key) == (member.registration_id, True, None)
    with refused("household.theirs"):
        declared_for.amend_for(
            world, account_id=story.tenant, registration_id=member.registration_id, move_in_on=world.clock.today()
        )
    [seen] = households.list_household(world, account_id=story.tenant, registration_id=story.registration_id).members
    assert (seen.manages, seen.id_number_masked, seen.registration) == ("themselves", None, None)
    registrations.check_out(
        world, account_id=wife, registration_id=member.registration_id, moved_out_on=world.clock.today(),
        reason="left_county",
    )  # fmt: skip
    assert stories.key_row(story.key_id).state == "claimed" and row(story.registration_id).residence == "living"


def test_a_record_taken_over_stays_with_the_first_account(world: Any) -> None:
    story = stories.make_declared(world)
    add(world, story)
    claim(world)
    with refused("document.taken"):
        claim(world, "+8619900009304")


def test_who_shares_the_home_only_declares_by_themselves(world: Any) -> None:
    story = stories.make_declared(world)
    member = add(world, story, relation="other")
    assert (member.state, sent(member.registration_id)) == ("invited", [])
    wife = claim(world)
    stories.verify_at_window(world, wife)
    stories.read_notice(world, wife)
    registrations.declare(
        world, account_id=wife, registration_id=member.registration_id, move_in_on=world.clock.today()
    )
    made = row(member.registration_id)
    assert (made.declared_by, made.declarer_id, made.relation) == ("self", None, "other")
    assert sent(made.id) == ["UPSERT"]


def test_somebody_known_is_told_and_objects_and_a_person_decides(world: Any) -> None:
    story = stories.make_active(world)
    wife = claim(world)
    stories.verify_at_window(world, wife)
    member = add(world, story, representation="ill")
    assert row(member.registration_id).representation == "ill" and "declared_for_you" in kinds(world, wife)
    declared_for.object_to_declaration(world, account_id=wife, registration_id=member.registration_id)
    with refused("household.objected"):
        declared_for.object_to_declaration(world, account_id=wife, registration_id=member.registration_id)
    case = db.session.scalars(select(Case).where(Case.registration_id == member.registration_id)).one()
    assert (case.kind, case.rule, case.evidence["objection"]) == ("void_request", "ZJ-7", "declared_by_another")
    assert row(member.registration_id).residence == "living"
    with refused("not_found"):
        declared_for.object_to_declaration(world, account_id=story.tenant, registration_id=story.registration_id)


def test_the_declarer_corrects_takes_back_and_checks_out_and_no_key_is_touched(world: Any) -> None:
    story = stories.make_active(world)
    today = world.clock.today()
    member, child = add(world, story), add_child(world, story)
    amended = declared_for.amend_for(
        world, account_id=story.tenant, registration_id=member.registration_id, move_in_on=today - timedelta(days=3)
    )
    assert amended.registration is not None and sent(member.registration_id) == ["UPSERT", "AMEND"]
    assert amended.registration.declared_at == world.clock.now()
    left = declared_for.check_out_for(
        world, account_id=story.tenant, registration_id=child.registration_id, moved_out_on=today,
        reason="left_county", idempotency_key="out-1",
    )  # fmt: skip
    assert (left.state, row(child.registration_id).moved_out_by) == ("moved_out", "guardian")
    for _twice in range(2):
        declared_for.withdraw_for(world, account_id=story.tenant, registration_id=member.registration_id)
    assert (row(member.registration_id).residence, sent(member.registration_id)[-1]) == ("voided", "VOID")
    again = add(world, story)
    assert again.registration_id != member.registration_id
    assert len(declared_for.list_declared_for(world, account_id=story.tenant)) == 2
    assert stories.key_row(story.key_id).state == "active" and row(story.registration_id).residence == "living"
    with refused("not_found"):
        declared_for.withdraw_for(world, account_id=story.landlord, registration_id=again.registration_id)


def test_the_tenant_chooses_who_leaves_along_and_a_person_sees_to_those_who_stay(world: Any) -> None:
    story = stories.make_active(world)
    today = world.clock.today()
    member, child = add(world, story), add_child(world, story)

    def leave(*too: str) -> None:
        registrations.check_out(
            world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=today,
            reason="lease_end", leaving_too=too,
        )  # fmt: skip

    with refused("not_found"):
        leave(child.registration_id, story.registration_id)
    leave(child.registration_id)
    assert [row(one).residence for one in (story.registration_id, child.registration_id)] == ["moved_out"] * 2
    assert row(member.registration_id).residence == "living"
    assert stories.key_row(story.key_id).state in ("revoking", "revoked")
    case = db.session.scalars(select(Case).where(Case.kind == "visit")).one()
    assert (case.rule, case.evidence["people"]) == ("HR-8", "1")
    assert "others_stay" in kinds(world, story.landlord) and "you_stay" in kinds(world, story.tenant)
    declared_for.check_out_for(
        world, account_id=story.tenant, registration_id=member.registration_id, moved_out_on=today, reason="lease_end"
    )
    assert row(member.registration_id).residence == "moved_out"


def test_a_lease_of_their_own_takes_over_the_time_of_the_first_declaration(world: Any) -> None:
    story = stories.make_declared(world)
    first = row(story.registration_id).declared_at
    joined = {"starts_on": world.clock.today(), "ends_on": world.clock.today() + timedelta(days=365)}
    made = record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", alias="小郑", tenant_name="郑小芳",
        tenant_id_type="111", tenant_id_number=WIFE, tenant_phone=WIFE_PHONE, joint_with=story.lease_id, **joined,
    )  # fmt: skip
    member = add(world, story)
    world.clock.move(timedelta(days=2))
    link = invite_tenant(world, account_id=story.landlord, lease_id=made.lease_id).link
    wife = claim(world)
    stories.read_notice(world, wife)
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=wife, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    registrations.declare(world, account_id=wife, registration_id=made.registration_id, move_in_on=world.clock.today())
    assert row(made.registration_id).declared_at == first
    voided = row(member.registration_id)
    assert (voided.residence, voided.void_reason) == ("voided", "duplicate")


def accept_own_lease(world: Any, story: Any, **joined: Any) -> tuple[str, str]:
    """The wife takes a lease of her own, with the notice read; answers (account, registration)."""
    terms = {"starts_on": world.clock.today(), "ends_on": world.clock.today() + timedelta(days=365), **joined}
    made = record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", alias="小郑", tenant_name="郑小芳",
        tenant_id_type="111", tenant_id_number=WIFE, tenant_phone=WIFE_PHONE, **terms,
    )  # fmt: skip
    link = invite_tenant(world, account_id=story.landlord, lease_id=made.lease_id).link
    wife = claim(world)
    stories.read_notice(world, wife)
    jwk = jwk_of(make_private_key().public_key())
    accept_invitation(world, account_id=wife, token=link.rsplit("/", 1)[1], phone_jwk=jwk)
    return wife, made.registration_id


def test_who_stays_when_the_tenant_has_left_gets_a_lease_and_keeps_the_first_time(world: Any) -> None:
    story = stories.make_active(world)
    member = add(world, story)
    first = row(member.registration_id).declared_at
    world.clock.move(timedelta(days=3))
    today = world.clock.today()
    registrations.check_out(world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=today,
                            reason="left_county")  # fmt: skip
    wife, home = accept_own_lease(world, story)
    registrations.declare(world, account_id=wife, registration_id=home, move_in_on=today)
    assert (row(home).declared_at, row(home).residence) == (first, "living")
    assert (row(member.registration_id).residence, row(member.registration_id).void_reason) == ("voided", "duplicate")


def test_a_landlord_does_not_learn_from_a_refusal_who_lives_along(world: Any) -> None:
    story = stories.make_active(world)
    add(world, story)
    accept_own_lease(world, story, joint_with=story.lease_id)


def test_who_was_declared_by_those_they_live_with_is_not_exempt_and_who_was_only_entered_may_be(world: Any) -> None:
    story = stories.make_active(world)
    add(world, story)
    wife, home = accept_own_lease(world, story, joint_with=story.lease_id)
    with refused("exempt.declared"):
        declare_exempt(world, account_id=wife, registration_id=home, exemption="hotel", move_in_on=world.clock.today())
    assert row(home).tenant_leg != "declared" and row(home).person_id is None


def test_an_entry_that_was_never_declared_goes_over_to_the_exemption_of_an_own_lease(world: Any) -> None:
    story = stories.make_active(world)
    entered = add(world, story, relation="other")
    assert row(entered.registration_id).declared_at is None
    wife, home = accept_own_lease(world, story, joint_with=story.lease_id)
    declare_exempt(world, account_id=wife, registration_id=home, exemption="hotel", move_in_on=world.clock.today())
    assert (row(home).scope, row(entered.registration_id).residence) == ("exempt", "voided")


def test_two_entries_of_one_person_at_once_make_one_record(core: Any, settings: Any, world: Any) -> None:
    story = stories.make_declared(world)
    app, start = core_app(settings, world), threading.Barrier(2)
    answers: list[object] = []

    def enter() -> None:
        with app.app_context():
            start.wait()
            try:
                answers.append(add(world, story).registration_id)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        db.engine.dispose()
    assert len(set(answers)) == 1 and len(answers) == 2
    db.session.rollback()
    assert db.session.scalar(select(func.count()).where(Registration.household_of_id.is_not(None))) == 1
