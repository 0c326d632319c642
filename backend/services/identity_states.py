"""Settling an identity: one place where `none`, `attested` and `verified` change, whoever decided."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.identity_checks import IdentityCheck
from backend.models.persons import Person
from backend.services.audit import Actor, write_leaf
from backend.services.key_changes import activate_waiting_keys

RANK = {"none": 0, "attested": 1, "verified": 2}


def settle_identity(
    world: World,
    session: Session,
    person_id: str,
    state: str,
    *,
    method: str,
    provider: str = "anju",
    operator_id: str | None = None,
    outcome: str = "pass",
    actor: Actor | None = None,
) -> None:
    """Record a person's decision or attestation inside the present write unit and let waiting keys become active.

    A `pass` never lowers a state. A `fail` is only ever a person's word: it ends an attestation, and nothing else is
    taken away by it.
    """
    person = session.get_one(Person, person_id)
    session.add(
        IdentityCheck(
            id=new_id(),
            person_id=person_id,
            method=method,
            provider=provider,
            decision="match" if outcome == "pass" else "no_match",
            outcome=outcome,
            operator_id=operator_id,
            checked_at=world.clock.now(),
        )
    )
    set_identity_state(world, session, person, state, passed=outcome == "pass")
    write_leaf(world, session, actor or Actor("system"), f"identity_{method}", subject_id=person_id, decision=outcome)
    session.flush()
    activate_waiting_keys(world, session, person_id)


def set_identity_state(world: World, session: Session, person: Person, state: str, *, passed: bool) -> None:
    """Raise the state on a pass; on a fail only an attestation goes back to none."""
    if passed and RANK[state] > RANK[person.identity_state]:
        person.identity_state = state
    elif not passed and person.identity_state == "attested":
        person.identity_state = "none"
    attested = person.identity_state == "attested"
    person.identity_review_due_at = (
        (person.identity_review_due_at or world.clock.now() + world.house.attestation_review) if attested else None
    )
    person.version += 1
