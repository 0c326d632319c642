"""One change, many readers: what is noted, numbered and told, to whom, and what never leaves."""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from backend.db import db, transaction
from backend.domain.sharing import FIELDS, OUT_KINDS, PARKED_AFTER
from backend.gateways.office_client import Answer
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.sharing import DataSharingAgreement
from backend.services.access_records import my_access_records
from backend.services.agreements import end_agreement, end_overdue, resume_agreement, suspend_agreement
from backend.services.change_feed import REGISTRATION_CHANGES, number_events
from backend.services.leases import end_lease, extend_lease, record_lease
from backend.services.office_pulls import pull_changes
from backend.services.registrations import check_out
from backend.services.shared_fields import READERS
from backend.worker.office_loop import send_once
from tests.services import sharing, stories

PRECINCT: dict[str, Any] = {
    "subscriber": "precinct-module",
    "purpose": "dwelling_ledger",
    "legal_basis": "ZJ-9-1",
    "kinds": [kind for kind in OUT_KINDS if ".lease." not in kind],
    "fields": ["unit.public_number", "unit.registered_people", "registration.state"],
}
LEASES = [kind for kind in OUT_KINDS if ".lease." in kind]


@pytest.fixture
def supervisors(core: Any, world: World) -> Iterator[tuple[str, str]]:
    """Two of them."""
    yield sharing.make_supervisors(world)


def test_every_field_has_exactly_one_reader() -> None:
    assert set(READERS) == set(FIELDS)


# What happens to a registration and is told to no office: it is not declared yet, or concerns its parties alone.
UNTOLD = {
    "accept", "enter", "exempt", "exemption_over", "draft_expired", "withdraw", "foreign_form", "foreign_done",
    "landlord_end", "object", "no_answer", "void_asked", "correction_received", "landlord_report", "never_used",
    "left_after_void", "stays_after_void", "named_corrected", "guardian_corrected", "sent_again",
}  # fmt: skip


def test_every_action_on_a_registration_is_either_told_or_known_to_be_untold() -> None:
    """A new action that nobody has thought of would silently reach no office."""
    named = set()
    for path in (Path(__file__).parents[2] / "backend" / "services").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", None)
            if isinstance(node, ast.Call) and name in ("change_registration", "void_in") and len(node.args) > 3:
                named |= {part.value for part in ast.walk(node.args[3]) if isinstance(part, ast.Constant)}
    assert len(named) > 12
    assert named - set(REGISTRATION_CHANGES) - UNTOLD == set()


def test_nothing_is_noted_where_no_agreement_cares(world: World, supervisors: tuple[str, str]) -> None:
    sharing.make_agreement(world, supervisors, kinds=["cn.anju.lease.ended"])
    story = stories.make_declared(world)
    assert sharing.noted() == []
    end_agreement(world, agreement_id=_in_force("housing-authority"), reason="test")
    _check_out(world, story)
    assert sharing.noted() == []


def test_a_tenancy_is_told_to_two_offices_each_by_its_own_agreement(world: World, supervisors: tuple[str, str]) -> None:
    sharing.make_agreement(
        world, supervisors, kinds=LEASES, fields=["lease.kind", "tenant.name", "unit.public_number", "landlord.name"]
    )
    sharing.make_agreement(world, supervisors, keys=sharing.jwks(), **PRECINCT)
    story = stories.make_declared(world)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None)
    _check_out(world, story)
    sharing.tell(world)

    housing = sharing.came(world, "housing-authority")
    assert sharing.types(housing) == ["lease.recorded", "lease.extended", "lease.ended"]
    assert housing[0].data["tenant.name"] == "周来福"
    assert set(housing[0].data) == {"lease.kind", "tenant.name", "unit.public_number", "landlord.name"}
    precinct = sharing.came(world, "precinct-module")
    assert sharing.types(precinct) == [
        "unit.enrolled", "registration.declared", "registration.amended", "registration.checked-out",
    ]  # fmt: skip
    assert precinct[-1].data["registration.state"] == "moved_out"
    assert {row.outcome for row in sharing.deliveries()} == {"delivered"}
    assert [event.sequence for event in sorted(sharing.noted(), key=lambda e: e.sequence or 0)] == list(range(1, 8))


def test_both_persons_read_office_purpose_agreement_and_fields_on_their_own_page(
    world: World, supervisors: tuple[str, str]
) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES, fields=["lease.kind", "tenant.name", "landlord.name"])
    story = stories.make_invited(world)
    sharing.tell(world)  # before the tenant has accepted: there is no person yet
    story.tenant = stories.make_account(world, stories.TENANT_PHONE)
    stories.accept_invitation(
        world, account_id=story.tenant, token=story.link_token,
        phone_jwk=stories.jwk_of(stories.make_private_key().public_key()),
    )  # fmt: skip
    stories.read_notice(world, story.tenant)
    stories.enter_identity(
        world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福"
    )
    stories.declare(
        world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
        hukou_division="341822",
    )  # fmt: skip
    for account, fields in (
        (story.tenant, {"lease.kind", "tenant.name"}),
        (story.landlord, {"lease.kind", "landlord.name"}),
    ):
        (look,) = [item for item in my_access_records(world, account_id=account).items if item.actor == "office"]
        assert (look.office, look.purpose) == ("长兴县住房和城乡建设局", "lease_filing")
        assert (look.case_ref, look.decision) == ("housing-authority-v1", "cn.anju.lease.recorded")
        assert set(look.fields) == fields


def test_no_field_beyond_the_agreement_ever_leaves(world: World, supervisors: tuple[str, str]) -> None:
    """Random agreements over one and the same tenancy; a kind or field that is not agreed is in no body."""
    chance = random.Random(20261123)
    agreed: dict[str, tuple[set[str], set[str]]] = {}
    for number in range(12):
        fields = chance.sample(list(FIELDS), chance.randint(1, 8))
        kinds = chance.sample(list(OUT_KINDS), chance.randint(1, 6))
        name = f"office-{number}"
        agreed[name] = (set(fields), set(kinds))
        batch = chance.choice([1, 3, 100])
        sharing.make_agreement(
            world, supervisors, subscriber=name, keys=sharing.jwks(), fields=fields, kinds=kinds, batch_size=batch
        )
    story = stories.make_declared(world)
    _check_out(world, story)
    sharing.tell(world)
    seen = 0
    secrets = {
        "resident.id_number": stories.TENANT_NUMBER, "tenant.id_number": stories.TENANT_NUMBER,
        "landlord.id_number": stories.LANDLORD_NUMBER, "tenant.name": "周来福", "resident.name": "周来福",
    }  # fmt: skip
    for to, _url, _type, body, _attempt in sharing.office(world).came:
        fields, kinds = agreed[to]
        for value in set(secrets.values()):
            if not fields & {name for name, secret in secrets.items() if secret == value}:
                assert value.encode() not in body
    for to, (fields, kinds) in agreed.items():
        for event in sharing.came(world, to):
            assert event.type in kinds and set(event.data) <= fields
            seen += 1
    assert seen >= 12, "the agreements let nothing out: this test proves nothing"
    for delivery in sharing.deliveries():
        assert delivery.outcome == "delivered"


@pytest.mark.parametrize("scope", ["out_of_scope", "exempt", "foreign"])
def test_a_residence_the_law_keeps_out_is_told_to_no_office(
    world: World, supervisors: tuple[str, str], scope: str
) -> None:
    sharing.make_agreement(world, supervisors, **PRECINCT)
    story = stories.make_declared(world)
    with transaction() as session:
        session.execute(update(Registration).values(scope=scope))
    _check_out(world, story)
    sharing.tell(world)
    assert sharing.types(sharing.came(world)) == ["unit.enrolled"]
    assert sharing.came(world)[0].data["unit.registered_people"] == 0
    assert {row.reason for row in sharing.deliveries() if row.outcome == "withheld"} == {f"scope_{scope}"}
    assert sharing.leaves() == []


def test_an_ended_agreement_lets_nothing_out_what_was_queued_neither(
    world: World, supervisors: tuple[str, str]
) -> None:
    agreement = sharing.make_agreement(world, supervisors)
    stories.make_declared(world)
    number_events(world)
    end_agreement(world, agreement_id=agreement.id, reason="test")
    sharing.tell(world)
    assert sharing.office(world).came == [] and sharing.leaves() == []
    assert {(row.outcome, row.reason) for row in sharing.deliveries()} == {("withheld", "agreement_ended")}
    assert _open_rows() == 0


def test_the_last_day_and_the_area_are_looked_at_when_it_would_leave(
    world: World, supervisors: tuple[str, str], clock: Any
) -> None:
    agreement = sharing.make_agreement(world, supervisors)
    stories.make_invited(world)
    number_events(world)
    with transaction() as session:
        session.get_one(DataSharingAgreement, agreement.id).areas = ["330522001"]
    send_once(world)
    clock.move(timedelta(days=31))
    sharing.tell(world)
    assert sharing.office(world).came == []
    assert end_overdue(world) == 1


def test_a_suspended_agreement_keeps_what_happens_until_it_is_resumed(
    world: World, supervisors: tuple[str, str]
) -> None:
    agreement = sharing.make_agreement(world, supervisors, kinds=LEASES)
    suspend_agreement(world, agreement_id=agreement.id, reason="question")
    stories.make_invited(world)
    sharing.tell(world)
    assert sharing.office(world).came == []
    resume_agreement(world, agreement_id=agreement.id)
    sharing.tell(world)
    assert sharing.types(sharing.came(world)) == ["lease.recorded"]


def test_a_new_version_takes_over_what_waits_by_its_own_terms(world: World, supervisors: tuple[str, str]) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES)
    stories.make_invited(world)
    number_events(world)
    newer = sharing.make_agreement(world, supervisors, kinds=LEASES, fields=["lease.kind"])
    sharing.tell(world)
    (event,) = sharing.came(world)
    assert newer.version == 2 and event.agreement == newer.id and set(event.data) == {"lease.kind"}


BEGUN = {"kinds": ["cn.anju.lease.recorded"], "fields": ["unit.public_number", "tenant.name", "tenant.id_number"]}


def test_what_happened_before_the_first_agreed_day_is_told_to_nobody(
    world: World, supervisors: tuple[str, str], clock: Any
) -> None:
    begins = world.clock.today() + timedelta(days=20)
    term = {"starts_on": begins.isoformat(), "ends_on": (begins + timedelta(days=30)).isoformat()}
    sharing.make_agreement(world, supervisors, **BEGUN, **term)
    pulled = sharing.make_agreement(
        world, supervisors, subscriber="puller", keys=sharing.jwks(), delivery="pull", webhook_url=None, **BEGUN, **term
    )
    stories.make_invited(world)
    sharing.tell(world)
    clock.move(timedelta(days=20))
    sharing.tell(world)
    assert sharing.came(world) == []
    assert [(row.outcome, row.reason) for row in sharing.deliveries()] == [("withheld", "before_agreement")]
    assert pull_changes(world, agreement_id=pulled.id, cursor=0, limit=10).events == ()
    _lease_of_the_other_room(world)
    sharing.tell(world)
    assert len(sharing.came(world)) == 1
    assert len(pull_changes(world, agreement_id=pulled.id, cursor=0, limit=10).events) == 1


def test_a_new_reader_does_not_read_what_another_was_told_months_ago(
    world: World, supervisors: tuple[str, str], clock: Any
) -> None:
    last = {"ends_on": (world.clock.today() + timedelta(days=300)).isoformat()}
    sharing.make_agreement(world, supervisors, kinds=["cn.anju.lease.recorded"], fields=["unit.public_number"], **last)
    stories.make_invited(world)
    number_events(world)
    clock.move(timedelta(days=60))
    pulled = sharing.make_agreement(
        world, supervisors, subscriber="puller", keys=sharing.jwks(), delivery="pull", webhook_url=None, **BEGUN
    )
    page = pull_changes(world, agreement_id=pulled.id, cursor=0, limit=10)
    assert (page.events, page.next > 0) == ((), True)


def test_what_waits_for_an_office_keeps_its_order_when_a_new_version_takes_over(
    world: World, supervisors: tuple[str, str], clock: Any
) -> None:
    terms: dict[str, Any] = {"kinds": ["cn.anju.lease.recorded", "cn.anju.lease.ended"]}
    sharing.make_agreement(world, supervisors, fields=["unit.public_number", "tenant.name"], **terms)
    office = sharing.office(world)
    story = stories.make_invited(world)
    number_events(world)
    for _ in range(7):
        office.answers = [Answer(503, "http_503")]
        send_once(world)
        clock.move(timedelta(minutes=5))
    clock.move(timedelta(days=1))  # the new version begins after what waits has happened, and takes it along
    begins = {"starts_on": world.clock.today().isoformat()}
    sharing.make_agreement(world, supervisors, fields=["unit.public_number"], **begins, **terms)
    office.answers = [Answer(503, "http_503")]
    send_once(world)
    before = len(sharing.came(world))
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    sharing.tell(world)
    clock.move(timedelta(hours=2))
    sharing.tell(world)
    assert sharing.types(sharing.came(world)[before:]) == ["lease.recorded", "lease.ended"]


def _lease_of_the_other_room(world: World) -> None:
    story = stories.make_let_unit(world, lock=2, door=2)
    record_lease(
        world, account_id=story.landlord, unit_id=story.unit_id, kind="room", starts_on=world.clock.today(),
        ends_on=None, alias="王", tenant_name="王小明", tenant_id_type="111",
        tenant_id_number=stories.sample_number("341822", stories.date(1991, 3, 3)), tenant_phone="+8619900009302",
    )  # fmt: skip


def test_gone_suspends_the_agreement_and_loses_nothing(world: World, supervisors: tuple[str, str]) -> None:
    agreement = sharing.make_agreement(world, supervisors, kinds=LEASES)
    sharing.office(world).answers = [Answer(410, "http_410")]
    stories.make_invited(world)
    sharing.tell(world)
    db.session.rollback()
    row = db.session.get_one(DataSharingAgreement, agreement.id)
    assert (row.state, row.state_reason) == ("suspended", "gone")
    resume_agreement(world, agreement_id=agreement.id)
    sharing.tell(world)
    assert [attempt for *_, attempt in sharing.office(world).came] == [1, 2]
    assert len({event.id for event in sharing.came(world)}) == 1, "the receiver tells a repetition by its id"
    assert len(sharing.leaves()) == 2, "landlord and tenant once each; a repetition discloses nothing new"


def test_retry_after_is_kept_and_order_per_object_too(world: World, supervisors: tuple[str, str], clock: Any) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES, batch_size=100)
    sharing.office(world).answers = [Answer(503, "http_503", 600)]
    story = stories.make_invited(world)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None)
    sharing.tell(world)
    assert len(sharing.office(world).came) == 1
    clock.move(timedelta(seconds=599))
    sharing.tell(world)
    assert len(sharing.office(world).came) == 1, "neither before its time, nor the later change before the earlier"
    clock.move(timedelta(seconds=2))
    sharing.tell(world)
    assert sharing.types(sharing.came(world)) == ["lease.recorded", "lease.recorded", "lease.extended"]


def test_what_fails_for_a_week_is_parked_and_what_comes_behind_goes_on(
    world: World, supervisors: tuple[str, str], clock: Any
) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES)
    story = stories.make_invited(world)
    sharing.office(world).answers = [Answer(None, "connect")] * 2
    sharing.tell(world)
    clock.move(PARKED_AFTER)
    sharing.tell(world)
    extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None)
    sharing.tell(world)
    assert [row.outcome for row in sharing.deliveries()] == ["parked", "delivered"]


def test_a_persons_destroyed_data_are_told_to_nobody(world: World, supervisors: tuple[str, str]) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES, fields=["tenant.name"])
    story = stories.make_invited(world)
    with transaction() as session:
        session.execute(delete(DataKey).where(DataKey.subject_id == story.lease_id))
    sharing.tell(world)
    assert [(row.outcome, row.reason) for row in sharing.deliveries()] == [("withheld", "erased")]


def test_two_workers_do_not_send_the_same_event(world: World, supervisors: tuple[str, str]) -> None:
    sharing.make_agreement(world, supervisors, kinds=LEASES)
    stories.make_invited(world)
    number_events(world)
    inner: list[int] = []
    deliver = sharing.office(world).deliver

    def meanwhile(*values: Any) -> Answer:
        inner.append(send_once(world))
        return deliver(*values)

    world.offices.deliver = meanwhile  # type: ignore[method-assign]
    send_once(world)
    assert inner == [0] and len(sharing.came(world)) == 1


def _check_out(world: World, story: stories.Story) -> None:
    check_out(
        world, account_id=story.tenant, registration_id=story.registration_id, moved_out_on=world.clock.today(),
        reason="lease_end",
    )  # fmt: skip


def _in_force(subscriber: str) -> str:
    with transaction() as session:
        return session.scalars(
            select(DataSharingAgreement.id).where(
                DataSharingAgreement.subscriber == subscriber, DataSharingAgreement.state == "active"
            )
        ).one()


def _open_rows() -> int:
    db.session.rollback()
    rows = select(OutboxRow.id).where(
        OutboxRow.destination == "office", OutboxRow.done_at.is_(None), OutboxRow.parked_at.is_(None)
    )
    return len(db.session.scalars(rows).all())
