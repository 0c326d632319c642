"""What is told to the registry: the whitelisted fields of one leg, and nothing once nothing may be told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.db import db, transaction
from backend.gateways.key_ring import KeyRingError
from backend.models.data_keys import DataKey
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.services import registry_items
from backend.services.registry_items import NothingToSend, build_item, not_permitted
from backend.wire.registry_messages import Item, is_hash_right
from backend.wire.registry_payload import FIELDS, check_payload, shape_of
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")


def build(world: Any, registration_id: str, op: str = "UPSERT", leg: str = "TENANT", version: int = 2) -> Any:
    with transaction() as session:
        registration = session.get_one(Registration, registration_id, populate_existing=True)
        return build_item(world, session, registration, op=op, leg=leg, version=version)


def change(registration_id: str, **values: Any) -> None:
    with transaction() as session:
        registration = session.get_one(Registration, registration_id)
        for name, value in values.items():
            setattr(registration, name, value)


@pytest.mark.parametrize("leg", ["TENANT", "LANDLORD"])
def test_a_built_payload_holds_permitted_fields_only_and_is_well_formed(world: Any, leg: str) -> None:
    story = stories.make_declared(world)
    item = build(world, story.registration_id, leg=leg)
    assert isinstance(item, Item)
    shape = shape_of("UPSERT", leg)
    assert set(item.payload) <= shape.required | shape.optional
    assert check_payload(item.op, item.leg, item.payload) == []
    assert is_hash_right(item)


def test_the_tenants_leg_is_what_the_tenant_declared(world: Any) -> None:
    story = stories.make_declared(world)
    item = build(world, story.registration_id)
    registration = db.session.get_one(Registration, story.registration_id)
    assert item.declared_at == registration.declared_at
    assert (item.payload["name"], item.payload["id_number"]) == ("周来福", stories.TENANT_NUMBER)
    assert item.payload["birth_on"] == "1995-06-01" and item.payload["hukou_division"] == "341822"
    assert item.payload["division"] == "330522003900"


def test_the_landlords_leg_is_what_the_landlord_wrote_and_no_more(world: Any) -> None:
    story = stories.make_declared(world, tenant_name="周来富")
    item = build(world, story.registration_id, leg="LANDLORD")
    assert item.payload["name"] == "周来富"
    lease = db.session.get_one(Lease, story.lease_id)
    assert item.payload["move_in_on"] == lease.starts_on.isoformat()
    assert not {"birth_on", "sex", "hukou_division", "reason"} & set(item.payload)


def test_the_same_version_is_built_the_same_way_every_time(world: Any) -> None:
    story = stories.make_declared(world)
    assert build(world, story.registration_id) == build(world, story.registration_id)
    assert build(world, story.registration_id).nonce != build(world, story.registration_id, version=3).nonce


def test_nothing_can_be_built_or_recomputed_once_the_data_key_is_destroyed(world: Any) -> None:
    story = stories.make_declared(world)
    with transaction() as session:
        person_id = session.get_one(Registration, story.registration_id).person_id
        session.delete(session.get_one(DataKey, person_id))
    with pytest.raises(KeyRingError):
        build(world, story.registration_id)


@pytest.mark.parametrize("scope", ["out_of_scope", "exempt", "foreign"])
def test_what_is_not_in_scope_is_never_built(world: Any, scope: str) -> None:
    story = stories.make_declared(world)
    change(story.registration_id, scope=scope)
    assert build(world, story.registration_id) == NothingToSend(f"scope {scope}")


def test_an_undeclared_registration_is_never_built(world: Any) -> None:
    story = stories.make_claimed(world)
    assert isinstance(build(world, story.registration_id), NothingToSend)


def test_an_amendment_of_what_was_never_accepted_goes_out_as_its_first_version(world: Any) -> None:
    story = stories.make_declared(world)
    assert build(world, story.registration_id, op="AMEND").op == "UPSERT"
    change(story.registration_id, receipt_no="R-330522003-20261123-000001-5", receipt_token="x")
    assert build(world, story.registration_id, op="UPSERT").op == "AMEND"
    assert build(world, story.registration_id, op="UPSERT", leg="LANDLORD").op == "UPSERT"


def test_a_check_out_carries_receipt_date_and_reason_only(world: Any) -> None:
    story = stories.make_declared(world)
    assert build(world, story.registration_id, op="CHECKOUT") == NothingToSend("the registry never accepted it")
    moved_out_on = world.clock.today() + timedelta(days=1)
    change(
        story.registration_id,
        receipt_no="R-330522003-20261123-000001-5",
        receipt_token="x",
        residence="moved_out",
        moved_out_on=moved_out_on,
        moved_out_reason="left_county",
    )
    item = build(world, story.registration_id, op="CHECKOUT")
    assert dict(item.payload) == {
        "receipt_no": "R-330522003-20261123-000001-5",
        "moved_out_on": moved_out_on.isoformat(),
        "checkout_reason": "left_county",
    }
    assert check_payload("CHECKOUT", "TENANT", item.payload) == []
    void = build(world, story.registration_id, op="VOID")
    assert check_payload("VOID", "TENANT", void.payload) == []


@given(st.dictionaries(st.text(min_size=1, max_size=12) | st.sampled_from(sorted(FIELDS)), st.just("x"), max_size=6))
def test_the_only_keys_of_a_payload_are_those_of_the_data_dictionary(extra: dict[str, str]) -> None:
    for op, leg in (("UPSERT", "TENANT"), ("AMEND", "LANDLORD"), ("CHECKOUT", "TENANT"), ("VOID", "TENANT")):
        shape = shape_of(op, leg)
        payload = dict.fromkeys(shape.required | shape.optional, "x")
        assert not_permitted(op, leg, payload) == set()
        assert not_permitted(op, leg, payload | extra) == set(extra) - shape.required - shape.optional


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_payload_with_any_other_key_never_leaves(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    story = stories.make_declared(world)
    honest = registry_items._place
    monkeypatch.setattr(registry_items, "_place", lambda *given: {**honest(*given), "phone": "+8619900009101"})
    for leg in ("TENANT", "LANDLORD"):
        with pytest.raises(registry_items.NotPermitted):
            build(world, story.registration_id, leg=leg)
