"""What a correction made at the registry changes here. Everything runs inside the caller's write unit.

What is the person's own to amend counts once they have accepted it; name and number, and all of what they objected to
or did not answer, once an officer has seen the papers and carries it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from sqlalchemy.orm import Session

from backend.domain.corrections import (
    CARRIED_OUT,
    COUNTING,
    FIELD_NAMES,
    IDENTITY,
    Amended,
    amended_by,
    find_faults,
)
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.registry_returns import RegistryCorrection
from backend.services.accepted_corrections import values_of
from backend.services.audit import Actor
from backend.services.document_states import record_answer, resend_registrations
from backend.services.inbox import tell_person
from backend.services.persons import Entry, birth_of, check_entry, name_of, number_of, put_identity
from backend.services.registration_changes import change_registration, hold_registration

WITHOUT_EFFECT = ("handled", "passed_on", "unfounded")  # the decisions that change nothing here


def count_own_fields(
    world: World, session: Session, registration: Registration, values: Mapping[str, str], actor: Actor
) -> bool:
    """Let the answers count that a person may amend by own word; False when one of them cannot stand."""
    after = amended_by(Amended(registration.move_in_on, registration.planned_end_on, registration.reason), values)
    if after is None or find_faults(after, world.clock.today()):
        return False
    changed = [name for name in COUNTING if getattr(registration, name) != getattr(after, name)]
    for name in changed:
        setattr(registration, name, getattr(after, name))
    if changed:
        # not sent: the registry has it; only what it returned before goes out again, mended by its own correction
        send = "AMEND" if registration.registry_state == "rejected" else None
        change_registration(world, session, registration, "amend", actor, source="registry", fields=changed, send=send)
    return True


def carry_out_correction(world: World, session: Session, case: Case, actor: Actor) -> Refusal | None:
    """Put what the registry has corrected in the place of what stands here; the earlier values are kept sealed.

    Name and document go out again with everything they stand in, and the authority is asked about them. The person is
    told. A refusal means that nothing was changed: a value cannot stand here, or is not for us to change.
    """
    row = session.get(RegistryCorrection, case.evidence.get("correction", ""))
    if row is None:
        return Refusal("case.decision", "decision", allowed=WITHOUT_EFFECT)
    registration = session.get_one(Registration, row.registration_id)
    hold_registration(session, registration)
    values = values_of(world, session, registration, row)
    if not set(values) <= set(CARRIED_OUT):
        return Refusal("case.decision", "decision", allowed=WITHOUT_EFFECT)
    try:
        _change_person(world, session, registration, values, actor)
    except Refused as refused:
        found = refused.refusal
        return Refusal(found.code, "decision", found.params, found.allowed)
    if not count_own_fields(world, session, registration, values, actor):
        return Refusal("registration.move_in", "decision")
    names = [FIELD_NAMES[name] for name in sorted(values)]
    if registration.person_id is not None:
        tell_person(
            world,
            session,
            registration.person_id,
            "details_corrected",
            once=case.id,
            rule=case.rule,
            fields_zh="、".join(zh for zh, _ in names),
            fields_en=", ".join(en.lower() for _, en in names),
        )
    return None


def _change_person(
    world: World, session: Session, registration: Registration, values: Mapping[str, str], actor: Actor
) -> None:
    """Set what a correction says of the person. Raises Refused with what is wrong with it."""
    if registration.person_id is None or not set(values) - set(COUNTING):
        return
    person = session.get_one(Person, registration.person_id, with_for_update=True)
    if "hukou_division" in values:
        person.hukou_division = values["hukou_division"]
    if not set(values) & set(IDENTITY):
        resend_registrations(
            world, session, person, actor, action="amend", source="registry", fields=["hukou_division"]
        )
        return
    put_identity(world, session, person, _corrected(world, session, person, values), actor=actor, source="registry")
    record_answer(world, session, person, None)  # no call to another office inside a write unit: it is asked next


def _corrected(world: World, session: Session, person: Person, values: Mapping[str, str]) -> Entry:
    born = values.get("birth_on")
    return check_entry(
        world,
        values.get("id_type", person.id_type),
        values.get("id_number") or number_of(world, session, person),
        values.get("name") or name_of(world, session, person),
        date.fromisoformat(born) if born else birth_of(world, session, person),
        values.get("sex", person.sex),
        person.hukou_division,
    )
