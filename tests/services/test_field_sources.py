"""Every stored field knows where it came from, whatever use case set it; what was corrected stays, sealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.notices import NOTICES
from backend.gateways.clock import FixedClock
from backend.gateways.identity_authority import UNMATCHED_NAME
from backend.gateways.key_ring import KeyRingError
from backend.models.data_keys import DataKey
from backend.models.persons import Person
from backend.models.registrations import FieldSource, Registration
from backend.services import field_sources
from backend.services.access_records import export_my_data
from backend.services.amendments import amend
from backend.services.exemptions import declare_exempt
from backend.services.field_origins import list_origins
from backend.services.leases import extend_lease, record_lease
from backend.services.persons import enter_identity
from backend.services.registrations import check_out, declare
from backend.services.voids import request_void
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def unsourced() -> set[tuple[str, str]]:
    """Fields of the two tables that have a value and no source."""
    db.session.rollback()
    found = set()
    for row in (*db.session.scalars(select(Registration)), *db.session.scalars(select(Person))):
        kind, fields = field_sources.fields_of(row)
        rows = select(FieldSource.field).where(FieldSource.object_kind == kind, FieldSource.object_id == row.id)
        known = set(db.session.scalars(rows))
        found |= {(kind, name) for name, column in fields.items() if getattr(row, column) is not None} - {
            (kind, name) for name in known
        }
    return found


def sources(registration_id: str, field: str) -> list[FieldSource]:
    db.session.rollback()
    rows = select(FieldSource).where(FieldSource.object_id == registration_id, FieldSource.field == field)
    return list(db.session.scalars(rows.order_by(FieldSource.at, FieldSource.id)))


def test_no_use_case_leaves_a_field_without_a_source(world: Any, clock: FixedClock) -> None:
    story = stories.make_identified(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    assert unsourced() == set()
    today = world.clock.today()
    steps = (
        lambda: declare_exempt(world, **mine, exemption="near_relatives", move_in_on=today, hukou_division="341822"),
        lambda: declare(world, **mine, move_in_on=today, reason="204"),
        lambda: stories.make_child(world, story.tenant) if stories.verify_at_window(world, story.tenant) else None,
        lambda: extend_lease(world, account_id=story.landlord, lease_id=story.lease_id, ends_on=None),
        lambda: amend(world, **mine, move_in_on=today, reason="206", changed_on=today, hukou_division="341822"),
        lambda: request_void(world, **mine, reason="duplicate"),
        lambda: check_out(world, **mine, moved_out_on=today, reason="left_county"),
    )
    for number, step in enumerate(steps):
        clock.move(timedelta(hours=1))
        step()
        assert unsourced() == set(), f"after step {number}"


def test_each_source_says_who_when_and_under_which_notice(world: Any, clock: FixedClock) -> None:
    story = stories.make_identified(world)
    clock.move(timedelta(days=1))
    declare(world, account_id=story.tenant, registration_id=story.registration_id, hukou_division="341822",
            move_in_on=world.clock.today(), reason="204")  # fmt: skip
    version = NOTICES["registration_notice"].version
    begun, declared = sources(story.registration_id, "move_in_on")
    assert (begun.source, begun.actor_id, begun.earlier_sealed) == ("landlord", story.landlord, None)
    assert (declared.source, declared.actor_id, declared.notice_version) == ("tenant", story.tenant, version)
    assert declared.at == world.clock.now() and declared.earlier_sealed is not None
    origins = {o.field: o for o in list_origins(world, account_id=story.tenant, registration_id=story.registration_id)}
    assert origins["birth_on"].source == "document" and origins["name"].source == "tenant"
    assert origins["unit_id"].source == "landlord" and origins["hukou_division"].notice_version == version
    assert origins["move_in_on"].corrected == 1
    export = export_my_data(world, account_id=story.tenant)["sources"]
    assert {row["field"] for row in export[story.registration_id]} >= {"reason", "move_in_on"}
    assert "name" in {row["field"] for row in export["person"]}


def test_a_corrected_value_is_kept_sealed_and_dies_with_the_persons_key(world: Any, clock: FixedClock) -> None:
    story = stories.make_active(world)
    mine: dict[str, Any] = {"account_id": story.tenant, "registration_id": story.registration_id}
    moved_in = world.clock.today()
    for reason in ("204", "206"):
        clock.move(timedelta(hours=1))
        amend(world, **mine, move_in_on=moved_in, planned_end_on=moved_in, reason=reason)
    first, second = sources(story.registration_id, "reason")
    assert first.earlier_sealed is None and b"204" not in (second.earlier_sealed or b"")
    assert field_sources.earlier_value(world, db.session(), second) == "204"
    with transaction() as session:
        person_id = session.get_one(Registration, story.registration_id).person_id
        session.delete(session.get_one(DataKey, person_id))
    with pytest.raises(KeyRingError):
        field_sources.earlier_value(world, db.session(), sources(story.registration_id, "reason")[1])


def test_a_corrected_number_leaves_the_earlier_one_sealed_and_a_same_one_nothing(world: Any) -> None:
    story = stories.make_claimed(world)
    stories.read_notice(world, story.tenant)
    entry: dict[str, Any] = {"account_id": story.tenant, "id_type": "111", "keep_unmatched": True}
    for name in (UNMATCHED_NAME, UNMATCHED_NAME, "周来福"):
        entered = enter_identity(world, **entry, id_number=stories.TENANT_NUMBER, name=name)
    _, corrected = sources(entered.person_id, "name")
    assert field_sources.earlier_value(world, db.session(), corrected) == UNMATCHED_NAME
    assert len(sources(entered.person_id, "id_number")) == 1  # sealed anew is not set anew


def test_a_lease_that_is_recorded_but_not_reported_has_its_sources_too(world: Any) -> None:
    story = stories.make_let_unit(world)
    record_lease(world, account_id=story.landlord, unit_id=story.unit_id, kind="room", report_now=False,
                 starts_on=world.clock.today(), ends_on=None, alias="一", tenant_name="周来福", tenant_id_type="111",
                 tenant_id_number=stories.TENANT_NUMBER, tenant_phone=stories.TENANT_PHONE)  # fmt: skip
    assert unsourced() == set()
