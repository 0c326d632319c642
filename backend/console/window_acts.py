"""The acts at the window by the use cases that carry them out, each with what it is about and its form's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import request

from backend.console.pages import Form, acting, world
from backend.console.window_fields import FIELDS, Field
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refusal, Refused
from backend.domain.whole_numbers import read_whole
from backend.services import (
    amendments,
    consents,
    declared_for,
    erasures,
    exemptions,
    foreign_paths,
    guardians,
    household_children,
    households,
    identity_corrections,
    identity_reviews,
    lease_corrections,
    leases,
    look_questions,
    registrations,
    registry_corrections,
    reported_answers,
    reports,
    representations,
    stays,
    unit_releases,
    units,
    voids,
    window_leases,
    window_visits,
)
from backend.services.hands import Desk
from backend.services.officer_sessions import step_up
from backend.services.window_visits import Visit

NOTICE = "registration_notice"
CREATING = (
    *("declare", "declare_without_lease", "declare_exempt", "check_out", "add_co_resident", "declare_child"),
    "declare_for_relative",
    *("check_out_for", "claim_unit", "add_unit", "record_lease", "add_co_tenant", "file_report"),
)
# act -> (use case, the ids it is about)
USE_CASES: Mapping[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "answer_consent": (consents.answer_consent, ()),
    "withdraw_consent": (consents.withdraw_consent, ()),
    "take_lease": (window_leases.take_lease, ("lease_id",)),
    "declare": (registrations.declare, ("registration_id",)),
    "declare_without_lease": (stays.declare_without_lease, ("unit_id",)),
    "declare_exempt": (exemptions.declare_exempt, ("registration_id",)),
    "amend": (amendments.amend, ("registration_id",)),
    "withdraw_draft": (voids.withdraw_draft, ("registration_id",)),
    "request_void": (voids.request_void, ("registration_id",)),
    "check_out": (registrations.check_out, ("registration_id",)),
    "still_here": (registrations.answer_still_here, ("registration_id",)),
    "answer_correction": (registry_corrections.answer_correction, ("registration_id", "correction_id")),
    "answer_reported": (reported_answers.answer_reported, ("change_id",)),
    "hand_out_foreign_form": (foreign_paths.hand_out_foreign_form, ("registration_id",)),
    "mark_foreign_done": (foreign_paths.mark_foreign_done, ("registration_id",)),
    "add_co_resident": (households.add_co_resident, ("registration_id",)),
    "enter_child": (guardians.enter_child, ()),
    "withdraw_for_child": (guardians.withdraw_for_child, ("child_id",)),
    "declare_child": (household_children.declare_child, ("registration_id",)),
    "declare_for_relative": (representations.declare_for_relative, ()),
    "amend_for": (declared_for.amend_for, ("registration_id",)),
    "withdraw_for": (declared_for.withdraw_for, ("registration_id",)),
    "check_out_for": (declared_for.check_out_for, ("registration_id",)),
    "object_to_declaration": (declared_for.object_to_declaration, ("registration_id",)),
    "ask_about_look": (look_questions.ask_about_look, ()),
    "ask_erasure": (erasures.ask_erasure, ()),
    "withdraw_erasure": (erasures.withdraw_erasure, ()),
    "print_codes": (window_leases.print_own_codes, ("registration_id",)),
    "hand_out_mechanical_key": (window_leases.hand_out_mechanical_key, ("registration_id",)),
    "link_phone": (window_visits.link_phone, ()),
    "correct_identity": (identity_corrections.correct_identity, ()),
    "claim_unit": (units.claim_unit, ("unit_id",)),
    "add_unit": (units.add_unit, ("dwelling_id",)),
    "claim_lock": (units.claim_lock, ("unit_id",)),
    "release_unit": (unit_releases.release_unit, ("unit_id",)),
    "record_lease": (leases.record_lease, ("unit_id",)),
    "add_co_tenant": (window_leases.add_co_tenant, ("lease_id",)),
    "report_tenant": (leases.report_tenant, ("lease_id",)),
    "extend_lease": (leases.extend_lease, ("lease_id",)),
    "correct_named": (lease_corrections.correct_named, ("lease_id",)),
    "move_start": (lease_corrections.move_start, ("lease_id",)),
    "end_lease": (leases.end_lease, ("lease_id",)),
    "attest": (identity_reviews.attest, ("lease_id",)),
    "file_report": (reports.file_report, ()),
    "rate_report": (reports.rate_report, ("report_id",)),
    "reopen_report": (reports.reopen_report, ("report_id",)),
    "host_foreign_done": (foreign_paths.mark_foreign_done_by_host, ("lease_id",)),
}
_SAID: Mapping[str, Mapping[str, str]] = {
    "answer_consent": {"purpose": NOTICE, "version": NOTICES[NOTICE].version},
    "withdraw_consent": {"purpose": NOTICE},
    "enter_child": {"notice_version": NOTICES[NOTICE].version},
}


def carry_out(act: str, visit: Visit, form: Form) -> Any:
    """Do what the form asks for, for the person of the visit; answers what the use case answers.

    Raises Refused with every fault of the form, and all that the use case raises.
    """
    use_case, about = USE_CASES[act]
    named: dict[str, Any] = {name: form.value(name) for name in about}
    named |= answers_of(FIELDS.get(act, ()), form) | dict(_SAID.get(act, {}))
    if named.pop("password", None) is not None:
        _step_up(form)
    if act in CREATING:
        named["idempotency_key"] = form.value("once") or None
    desk = Desk(acting().session_id, visit.id, form.day("received_on"), form.day("dated_on"))
    return use_case(world(), account_id=visit.account_id, desk=desk, **named)


def answers_of(fields: tuple[Field, ...], form: Form) -> dict[str, Any]:
    """The arguments a form's fields stand for; an empty optional one is None. Raises Refused with every fault."""
    found: dict[str, Any] = {}
    faults: list[Refusal] = []
    for field in fields:
        try:
            found[field.name] = _read(field, form)
        except Refused as refused:
            faults += refused.refusals
    if faults:
        raise Refused.of(faults)
    return found


def _read(field: Field, form: Form) -> Any:
    text = form.value(field.name).strip()
    if field.kind == "many":
        return request.form.getlist(field.name)
    if field.kind == "check":
        return bool(text)
    if field.kind == "password":
        return ""  # read where it is checked, and kept nowhere
    if not text:
        if not field.optional:
            raise Refused("input.missing", field.name)
        return "" if field.name == "tenant_phone" else None
    if field.kind == "day":
        return form.day(field.name)
    if field.kind in ("number", "grade"):
        return _number(field.name, text)
    return text == "yes" if field.choices is not None and set(field.choices) == {"yes", "no"} else text


def _number(name: str, text: str) -> int | float:
    try:
        whole = read_whole(text)
        return float(text) if whole is None else whole
    except ValueError:
        raise Refused("input.wrong_type", name, expected="12.5") from None


def _step_up(form: Form) -> None:
    if not acting().stepped_up:
        step_up(world(), session_id=acting().session_id, password=request.form.get("password", ""))
