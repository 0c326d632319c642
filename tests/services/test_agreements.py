"""Agreements: a draft is nothing, two supervisors are needed, and a change is a new version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from backend.db import db, transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.officers import Officer
from backend.models.sharing import DataSharingAgreement, SharingInterest
from backend.services.agreements import (
    add_agreement,
    approve_agreement,
    end_agreement,
    get_agreement,
    list_agreements,
    resume_agreement,
    suspend_agreement,
)
from backend.wire.jwk import keys_to_jwks
from tests.services import sharing


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(Refused) as caught:
        call()
    return caught.value.refusal.code


def test_only_two_different_supervisors_of_the_area_put_it_in_force(core: Any, world: World) -> None:
    first, second = sharing.make_supervisors(world)
    (stranger, _) = sharing.make_supervisors(world, "330522004")
    draft = add_agreement(world, written=sharing.written(world))
    assert add_agreement(world, written=sharing.written(world)) == draft, "the same again is the same"

    def approve(officer_id: str) -> str:
        return approve_agreement(world, agreement_id=draft.id, officer_id=officer_id).state

    assert refused(lambda: approve(stranger)) == "area.foreign"
    assert refused(lambda: approve(draft.id)) == "agreement.supervisor"
    assert approve(first) == "draft"
    assert refused(lambda: approve(first)) == "agreement.four_eyes"
    assert db.session.scalars(select(SharingInterest)).all() == []
    with transaction() as session:
        session.get_one(Officer, second).role = "officer"
    assert refused(lambda: approve(second)) == "agreement.supervisor"
    with transaction() as session:
        session.get_one(Officer, second).role = "supervisor"
    assert approve(second) == "active"
    assert refused(lambda: approve(first)) == "agreement.state"
    leaves = db.session.scalars(select(AuditLeaf.action).where(AuditLeaf.object_kind == "agreement")).all()
    assert sorted(leaves) == ["agreement_added", "agreement_approved", "agreement_approved"]


def test_the_database_itself_refuses_an_agreement_in_force_that_two_have_not_approved(core: Any, world: World) -> None:
    first, _ = sharing.make_supervisors(world)
    draft = add_agreement(world, written=sharing.written(world))
    for second in (None, first):
        with pytest.raises(IntegrityError), transaction() as session:
            row = session.get_one(DataSharingAgreement, draft.id)
            row.state, row.first_approver_id, row.second_approver_id = "active", first, second


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_changed_agreement_is_a_new_version_and_the_former_holds_until_it_is_approved(
    core: Any, world: World
) -> None:
    supervisors = sharing.make_supervisors(world)
    former = sharing.make_agreement(world, supervisors)
    draft = add_agreement(world, written=sharing.written(world, fields=["lease.kind"]))
    assert (draft.version, draft.state, get_agreement(former.id).state) == (2, "draft", "active")
    for supervisor in supervisors:
        approve_agreement(world, agreement_id=draft.id, officer_id=supervisor)
    assert [(row.version, row.state) for row in list_agreements()] == [(2, "active"), (1, "ended")]
    assert set(db.session.scalars(select(SharingInterest.agreement_id))) == {draft.id}


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_states_keys_and_faults_are_refused_in_words(core: Any, world: World) -> None:
    supervisors = sharing.make_supervisors(world)
    agreement = sharing.make_agreement(world, supervisors)
    ours = keys_to_jwks(dict(world.tokens.public_keys()))
    for keys in ({"keys": []}, {"keys": [{"kty": "RSA"}]}, {"keys": "x"}, ours):
        unusable = sharing.written(world, keys=keys)
        assert refused(lambda written=unusable: add_agreement(world, written=written)) == "agreement.keys"  # type: ignore[misc]
    same_key = sharing.written(world, subscriber="another-office")
    assert refused(lambda: add_agreement(world, written=same_key)) == "agreement.keys"
    assert refused(lambda: add_agreement(world, written={})) == "input.missing"
    assert refused(lambda: resume_agreement(world, agreement_id=agreement.id)) == "agreement.state"
    assert suspend_agreement(world, agreement_id=agreement.id, reason="question").state == "suspended"
    assert resume_agreement(world, agreement_id=agreement.id).state == "active"
    assert end_agreement(world, agreement_id=agreement.id, reason="over").state_reason == "over"
    assert refused(lambda: suspend_agreement(world, agreement_id=agreement.id, reason="x")) == "agreement.state"
    assert refused(lambda: get_agreement("no-id")) == "not_found"
