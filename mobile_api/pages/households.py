"""Tenant: who lives along, adding a grown person, declaring a child, the objection to another's declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.divisions import find_division, provinces
from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.households import RELATIONS, REPRESENTATIONS, is_declared_at_entry
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refusal, Refused
from backend.services import declared_for, household_children, households, tenancies
from mobile_api.pages.doors import account_id, tenant, world
from mobile_api.pages.forms import Sheet


@tenant.get("/homes/<registration_id>/household")
def household(registration_id: str) -> str:
    """Who lives along, how many that makes, and the children still to be declared."""
    mine = households.list_household(world(), account_id=account_id(), registration_id=registration_id)
    return render_template("tenant/household.html", home=mine, said=request.args.get("said"))


@tenant.route("/homes/<registration_id>/household/add", methods=["GET", "POST"])
def add_co_resident(registration_id: str) -> str | Response | tuple[str, int]:
    """Add a grown person: name, document, relation; told before, declared with it when they are a relative."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    today = world().clock.today()
    sheet = Sheet.of_request({**person_labels(), "relation": _("是您的什么人"), "representation": _("代为申报的原因")},
                             move_in_on=today, planned_end_on=mine.ends_on)
    if request.method == "POST":
        with sheet.filling():
            relation = sheet.choice("relation", RELATIONS)
            entry = read_person(sheet)
            representation = sheet.optional("representation")
            sheet.check()
            households.add_co_resident(world(), account_id=account_id(), registration_id=registration_id,
                                       relation=relation, representation=representation, **entry,
                                       idempotency_key=sheet.once)
            said = "added" if is_declared_at_entry(relation) else "invited"
            return redirect(url_for("tenant.household", registration_id=registration_id, said=said), 303)
    return render_template("tenant/household_add.html", home=mine, sheet=sheet, provinces=provinces().values(),
                           chosen=provinces().get(sheet.value("province")), text=NOTICES["registration_notice"],
                           relations=RELATIONS, representations=REPRESENTATIONS), sheet.status


@tenant.route("/homes/<registration_id>/household/children/<child_id>", methods=["GET", "POST"])
def declare_child(registration_id: str, child_id: str) -> str | Response | tuple[str, int]:
    """A guardian declares one of their children (ZJ-7)."""
    mine = _place_of_child(registration_id)
    child = next((one for one in mine.children if one.person_id == child_id), None)
    sheet = Sheet.of_request({**stay_labels(), "relation": _("孩子是租客的什么人")}, move_in_on=world().clock.today())
    if request.method == "POST":
        with sheet.filling():
            stay = read_stay(sheet, asks=child is not None and child.needs_division)
            relation = None if mine.is_tenant else sheet.choice("relation", RELATIONS)
            sheet.check()
            made = household_children.declare_child(world(), account_id=account_id(), registration_id=registration_id,
                                            child_id=child_id, relation=relation, **stay, idempotency_key=sheet.once)
            if made.relation is None:  # under the child's own lease
                return redirect(url_for("tenant.member", registration_id=registration_id, said="declared"), 303)
            return redirect(url_for("tenant.household", registration_id=registration_id, said="added"), 303)
    if child is None:
        raise Refused("not_found")
    return render_template("tenant/household_child.html", home=mine, child=child, sheet=sheet, relations=RELATIONS,
                           provinces=provinces().values(), chosen=provinces().get(sheet.value("province"))
                           ), sheet.status


@dataclass(frozen=True)
class _Place:
    """Where a child is declared: in the guardian's home, or under the child's own lease."""

    registration_id: str
    unit_alias: str
    is_tenant: bool
    children: tuple[household_children.ChildToDeclare, ...]
    way_back: str


def _place_of_child(registration_id: str) -> _Place:
    try:
        home = households.list_household(world(), account_id=account_id(), registration_id=registration_id)
    except Refused:
        leases = household_children.list_childrens_leases(world(), account_id=account_id())
        mine = [one for one in leases if one.registration_id == registration_id]
        alias = mine[0].unit_alias if mine else ""
        back = url_for("tenant.represent")
        return _Place(registration_id, alias, True, tuple(one.child for one in mine), back)
    back = url_for("tenant.household", registration_id=registration_id)
    return _Place(registration_id, home.unit_alias, home.is_tenant, home.children, back)


@tenant.post("/homes/<registration_id>/objection")
def object_to_declaration(registration_id: str) -> Response:
    """"This is not so": a person decides, nothing changes meanwhile."""
    declared_for.object_to_declaration(world(), account_id=account_id(), registration_id=registration_id)
    return redirect(url_for("tenant.tenancy", registration_id=registration_id, said="objected"), 303)


def stay_labels() -> dict[str, str]:
    """The words of what a declaration asks for."""
    return {"move_in_on": _("入住日期"), "planned_end_on": _("预计离开日期"), "reason": _("居住事由"),
            "hukou_division": _("户籍地")}


def person_labels() -> dict[str, str]:
    """The words of an entry of another person."""
    return {"id_type": _("证件种类"), "id_number": _("证件号码"), "name": _("姓名"), "birth_on": _("出生日期"),
            **stay_labels(), "told": _("告知本人")}


def read_stay(sheet: Sheet, asks: bool) -> dict[str, Any]:
    """Dates, reason and division off a sheet; faults are noted on it."""
    code = sheet.text("hukou_division") if asks else sheet.optional("hukou_division")
    if code and find_division(code) is None:
        sheet.faults.append(Refusal("registration.division", "hukou_division"))
    return {"move_in_on": sheet.day("move_in_on"), "planned_end_on": sheet.optional_day("planned_end_on"),
            "reason": sheet.optional("reason"), "hukou_division": code or None}


def read_person(sheet: Sheet) -> dict[str, Any]:
    """Another person's name, document and stay off a sheet; faults are noted on it."""
    id_type = sheet.choice("id_type", DOCUMENT_TYPES)
    return {"id_type": id_type, "id_number": sheet.text("id_number"), "name": sheet.text("name"),
            "birth_on": sheet.optional_day("birth_on"), **read_stay(sheet, asks=id_type == "111"),
            "told": sheet.is_ticked("told")}
