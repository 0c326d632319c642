"""What a decided case changes. Everything here runs inside the deciding use case's write unit."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.domain.cases import KINDS, REASON_NAMES
from backend.domain.refusals import Refusal
from backend.domain.registrations import is_held
from backend.gateways.world import World
from backend.models.cases import Case
from backend.models.leases import Lease
from backend.models.registrations import Registration
from backend.models.units import Unit, UnitClaim
from backend.services.appointment_changes import end_appointment
from backend.services.audit import Actor
from backend.services.correction_effects import carry_out_correction
from backend.services.identity_states import settle_identity
from backend.services.inbox import tell_person
from backend.services.key_changes import unit_alias
from backend.services.registration_changes import hold_registration
from backend.services.registrations import confirm_residence, end_residence
from backend.services.reported_answers import settle_report
from backend.services.units import accept_claim, refuse_claim
from backend.services.voids import void_registration


def apply_decision(
    world: World, session: Session, case: Case, actor: Actor, *, method: str | None, moved_out_on: date | None
) -> Refusal | None:
    """Carry out `case.decision` and tell those it concerns; a refusal means that nothing was changed."""
    if case.kind == "identity_review":
        return _settle_review(world, session, case, actor, method or "window")
    if case.kind == "dispute":
        return _settle_dispute(world, session, case, actor, moved_out_on)
    if case.kind == "registry_correction":
        return _settle_correction(world, session, case, actor)
    if case.kind == "office_change":
        return _settle_office_change(world, session, case, actor)
    if case.kind == "unit_claim":
        _settle_claim(world, session, case, actor)
    elif case.kind == "rebind":
        _tell_of_rebind(world, session, case)
    elif case.kind == "void_request":
        _settle_void(world, session, case, actor)
    elif case.kind == "look_question":
        _tell_of_answer(world, session, case)
    else:
        _clear_mark(session, case)
    return None


def _settle_review(world: World, session: Session, case: Case, actor: Actor, method: str) -> Refusal | None:
    """The identity as a person found it; the appointment was kept, or missed when nobody could be met."""
    confirmed = case.decision == "confirmed"
    met = case.decision_reason != "not_reached"
    refusal = end_appointment(world, session, case.id, "keep" if met else "miss", actor)
    if refusal is not None or case.person_id is None:
        return refusal
    settle_identity(
        world,
        session,
        case.person_id,
        "verified" if confirmed else "none",
        method=method,
        operator_id=actor.id,
        outcome="pass" if confirmed else "fail",
        actor=actor,
    )
    zh, en = REASON_NAMES[case.decision_reason or ""]
    tell_person(
        world,
        session,
        case.person_id,
        "identity_reviewed",
        once=case.id,
        rule=case.rule,
        reason_zh=zh,
        reason_en=en,
        **_words(case),
    )
    return None


def _tell_of_rebind(world: World, session: Session, case: Case) -> None:
    """The decision itself is what counts: the holder binds the key by it from the new phone (see rebinding)."""
    if case.person_id is None or case.unit_id is None:
        return
    zh, en = REASON_NAMES[case.decision_reason or ""]
    tell_person(
        world,
        session,
        case.person_id,
        "rebind_decided",
        once=case.id,
        unit=unit_alias(session, case.unit_id),
        reason_zh=zh,
        reason_en=en,
        **_words(case),
    )


def _tell_of_answer(world: World, session: Session, case: Case) -> None:
    """Whoever asked about a look at their data reads the answer, here and beside the look."""
    if case.person_id is not None:
        told = {**_words(case), **_reason(case), "reference": case.reference}
        tell_person(world, session, case.person_id, "look_answered", once=case.id, rule=case.rule, **told)


def _settle_dispute(
    world: World, session: Session, case: Case, actor: Actor, moved_out_on: date | None
) -> Refusal | None:
    registration = session.get_one(Registration, case.registration_id)
    hold_registration(session, registration)
    lease = session.get(Lease, registration.lease_id) if registration.lease_id else None
    if is_held(registration.residence, lease.state if lease else None):
        if case.decision == "moved_out":
            if moved_out_on is None or moved_out_on < registration.move_in_on:
                return Refusal("checkout.date", "moved_out_on")
            end_residence(world, session, registration, moved_out_on, "lease_end", by="officer", actor=actor)
        else:
            confirm_residence(world, session, registration, actor=actor)
    _clear_mark(session, case)
    parties = [(registration.person_id, {"registration_id": registration.id})]
    if lease is not None:
        parties.append((lease.landlord_id, {"lease_id": lease.id}))
    for number, (person_id, opens) in enumerate(party for party in parties if party[0] is not None):
        assert person_id is not None
        tell_person(
            world,
            session,
            person_id,
            "dispute_decided",
            once=f"{case.id}:{number}",
            rule=case.rule,
            unit=unit_alias(session, registration.unit_id),
            **opens,
            **_words(case),
            **_reason(case),
        )
    return None


def _settle_void(world: World, session: Session, case: Case, actor: Actor) -> None:
    """Voided or kept; the keys stay as they are (HR-12). The landlord learns of a void, not why it was asked for."""
    registration = session.get_one(Registration, case.registration_id)
    hold_registration(session, registration)
    _clear_mark(session, case)
    voided = case.decision == "voided" and registration.residence == "living"
    if voided:
        void_registration(world, session, registration, case.evidence["reason"], actor)
    unit = unit_alias(session, registration.unit_id)
    if registration.person_id is not None:
        told = {**_words(case), **_reason(case)}
        tell_person(
            world, session, registration.person_id, "void_decided", once=case.id, rule=case.rule, unit=unit,
            registration_id=registration.id, **told,
        )  # fmt: skip
    lease = session.get(Lease, registration.lease_id) if registration.lease_id else None
    if voided and lease is not None:
        tell_person(world, session, lease.landlord_id, "registration_voided", once=case.id, rule=case.rule, unit=unit,
                    lease_id=lease.id)  # fmt: skip


def _settle_claim(world: World, session: Session, case: Case, actor: Actor) -> None:
    claim = session.get_one(UnitClaim, case.evidence["claim_id"])
    unit = session.get_one(Unit, claim.unit_id)
    earlier = session.scalar(select(UnitClaim).where(UnitClaim.unit_id == unit.id, UnitClaim.state == "accepted"))
    settle = accept_claim if case.decision == "accepted" else refuse_claim
    settle(world, session, claim, actor=actor)
    for party in (claim, earlier):
        if party is not None:
            tell_person(
                world,
                session,
                party.person_id,
                "claim_decided",
                once=f"{case.id}:{party.id}",
                unit=unit_alias(session, unit.id),
                **_words(case),
            )


def _settle_office_change(world: World, session: Session, case: Case, actor: Actor) -> Refusal | None:
    """A reported change counts or does not; a subscription that its office has ended was taken up with the office."""
    reported = "report" in case.evidence
    allowed = ("counted", "refused") if reported else ("handled",)
    if case.decision not in allowed:
        return Refusal("case.decision", "decision", allowed=allowed)
    return settle_report(world, session, case, actor) if reported else None


def _settle_correction(world: World, session: Session, case: Case, actor: Actor) -> Refusal | None:
    """A correction made at the registry counts here too, or stays as it was answered."""
    refusal = carry_out_correction(world, session, case, actor) if case.decision == "counted" else None
    if refusal is None:
        _clear_mark(session, case)
    return refusal


def _clear_mark(session: Session, case: Case) -> None:
    """A registration no longer points to a case that is decided."""
    if case.registration_id is None:
        return
    registration = session.get_one(Registration, case.registration_id)
    if registration.case_id == case.id:
        registration.case_id = None


def _reason(case: Case) -> dict[str, str]:
    zh, en = REASON_NAMES[case.decision_reason or ""]
    return {"reason_zh": zh, "reason_en": en}


def _words(case: Case) -> dict[str, str]:
    decided = KINDS[case.kind].decisions[case.decision or ""]
    return {"decision_zh": decided.zh, "decision_en": decided.en}
