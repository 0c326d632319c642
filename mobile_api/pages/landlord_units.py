"""Landlord: who I am, my units, finding a unit in the address base, adding one, claiming its lock."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.documents import DOCUMENT_TYPES, USUAL_DOCUMENT
from backend.domain.landlord_board import STATES
from backend.domain.refusals import Refused
from backend.domain.spaces import RIGHT_NAMES, SPACE_NAMES
from backend.queries import dwellings
from backend.services import landlord_views, persons, unit_board, unit_releases, units
from mobile_api.pages.doors import account_id, landlord, safe_path, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.live import live

PRESSING = 5  # to-dos on the first page; the others have a page of their own


@landlord.get("/")
@live("board")
def home() -> str:
    """Units with their states, a page at a time, and what is most pressing."""
    words, state = request.args.get("q", "").strip(), request.args.get("state")
    state = state if state in STATES else None
    board = unit_board.unit_board(world(), account_id=account_id(), words=words, state=state,
                                  after=request.args.get("after"))
    identity = persons.my_identity(world(), account_id=account_id())
    return render_template("landlord/home.html", home=board, identity=identity, words=words, state_wish=state,
                           pressing=board.todos[:PRESSING], is_first=not request.args.get("after"),
                           said=request.args.get("said"))


@landlord.route("/identity", methods=["GET", "POST"])
def identity() -> str | Response | tuple[str, int]:
    """Name and document of the landlord, checked with the population base."""
    onward = safe_path(request.values.get("next"), url_for("landlord.search"))
    known = persons.my_identity(world(), account_id=account_id())
    sheet = Sheet.of_request({"id_type": _("证件种类"), "name": _("姓名"), "id_number": _("证件号码"),
                              "birth_on": _("出生日期")}, id_type=USUAL_DOCUMENT)
    if request.method == "POST":
        with sheet.filling():
            id_type = sheet.choice("id_type", DOCUMENT_TYPES)
            name, id_number = sheet.text("name"), sheet.text("id_number")
            birth_on = sheet.optional_day("birth_on")
            sheet.check()
            persons.enter_identity(world(), account_id=account_id(), id_type=id_type, id_number=id_number, name=name,
                                   birth_on=birth_on)
            return redirect(onward, 303)
    return render_template("landlord/identity.html", sheet=sheet, known=known, next=onward), sheet.status


@landlord.get("/dwellings")
def search() -> str:
    """Find a dwelling in the address base."""
    words = request.args.get("q", "").strip()
    found = dwellings.search_dwellings(words) if words else ()
    known = persons.my_identity(world(), account_id=account_id())
    return render_template("landlord/search.html", words=words, found=found, known=known)


@landlord.get("/dwellings/<dwelling_id>")
def dwelling(dwelling_id: str) -> str:
    """The units of a dwelling: choose one's own, or add a missing one."""
    return render_template("landlord/dwelling.html", dwelling=dwellings.get_dwelling(dwelling_id))


def _right_labels() -> dict[str, str]:
    return {"right_kind": _("出租的权利"), "evidence": _("出租权证明"), "mandate_ends_on": _("委托到期日")}


@landlord.route("/dwellings/<dwelling_id>/units/<unit_id>/claim", methods=["GET", "POST"])
def claim_unit(dwelling_id: str, unit_id: str) -> str | Response | tuple[str, int]:
    """Show the right to let a unit of the base, or renew one's mandate; a second claim goes to a person."""
    place = dwellings.get_dwelling(dwelling_id)
    mine = _own_mandate(unit_id)
    sheet = Sheet.of_request(_right_labels(), right_kind="mandate" if mine else None)
    if request.method == "POST":
        with sheet.filling():
            right_kind, evidence = sheet.choice("right_kind", RIGHT_NAMES), sheet.text("evidence")
            until = sheet.optional_day("mandate_ends_on")
            sheet.check()
            claim = units.claim_unit(world(), account_id=account_id(), unit_id=unit_id, right_kind=right_kind,
                                     evidence=evidence, mandate_ends_on=until, idempotency_key=sheet.once)
            return _after_claim(claim)
    chosen = next((unit for unit in place.units if unit.id == unit_id), None)
    return render_template("landlord/claim.html", sheet=sheet, dwelling=place, unit=chosen, mine=mine), sheet.status


def _own_mandate(unit_id: str) -> landlord_views.UnitCard | None:
    """The unit where the caller manages it already: what is claimed then is a renewal."""
    try:
        card = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id)
    except Refused:
        return None
    return card if card.mandate_ends_on else None


@landlord.route("/dwellings/<dwelling_id>/add", methods=["GET", "POST"])
def add_unit(dwelling_id: str) -> str | Response | tuple[str, int]:
    """Add a unit that the base does not have; spaces that may not be let are refused kindly (HR-7)."""
    place = dwellings.get_dwelling(dwelling_id)
    labels = {"label": _("房间名称"), "space_kind": _("空间种类"), "usable_area_m2": _("使用面积（平方米）"),
              "capacity": _("最多住几人")}
    sheet = Sheet.of_request({**labels, **_right_labels()})
    if request.method == "POST":
        with sheet.filling():
            answers = {"label": sheet.text("label"), "space_kind": sheet.choice("space_kind", SPACE_NAMES),
                       "usable_area_m2": sheet.number("usable_area_m2"), "capacity": sheet.whole_number("capacity"),
                       "right_kind": sheet.choice("right_kind", RIGHT_NAMES), "evidence": sheet.text("evidence"),
                       "mandate_ends_on": sheet.optional_day("mandate_ends_on")}
            sheet.check()
            claim = units.add_unit(world(), account_id=account_id(), dwelling_id=dwelling_id,
                                   idempotency_key=sheet.once, **answers)  # type: ignore[arg-type]
            return _after_claim(claim)
    return render_template("landlord/add_unit.html", sheet=sheet, dwelling=place), sheet.status


def _after_claim(claim: units.ClaimView) -> Response:
    if claim.state == "contested":
        return redirect(url_for("landlord.contested", reference=claim.case_reference), 303)
    return redirect(url_for("landlord.unit", unit_id=claim.unit_id, claimed=1), 303)


@landlord.get("/contested/<reference>")
def contested(reference: str) -> str:
    """Two landlords claim one unit: a person decides, under this reference."""
    return render_template("landlord/contested.html", reference=reference)


@landlord.get("/units/<unit_id>")
@live("unit", "unit_id")
def unit(unit_id: str) -> str:
    """One unit: its lock, its lease, what to do next."""
    card = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id)
    is_over = card.state == "mandate_over"
    leases = () if is_over else landlord_views.list_leases(world(), account_id=account_id(), unit_id=unit_id)
    return render_template("landlord/unit.html", unit=card, leases=leases, claimed=request.args.get("claimed"))


@landlord.route("/units/<unit_id>/lock/claim", methods=["GET", "POST"])
def claim_lock(unit_id: str) -> str | Response | tuple[str, int]:
    """Claim the unit's lock by the code on its sticker."""
    card = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    sheet = Sheet.of_request({"claim_code": _("领取码")})
    if request.method == "POST":
        with sheet.filling():
            code = sheet.text("claim_code")
            sheet.check()
            units.claim_lock(world(), account_id=account_id(), unit_id=unit_id, claim_code=code)
            return redirect(url_for("landlord.lock", unit_id=unit_id), 303)
    return render_template("landlord/claim_lock.html", sheet=sheet, unit=card), sheet.status


@landlord.route("/units/<unit_id>/release", methods=["GET", "POST"])
def release_unit(unit_id: str) -> str | Response | tuple[str, int]:
    """Give up a unit that is not let; what that means is said before."""
    sheet = Sheet.of_request({})
    if request.method == "POST":
        with sheet.filling():
            unit_releases.release_unit(world(), account_id=account_id(), unit_id=unit_id)
            return redirect(url_for("landlord.home", said="released"), 303)
    card = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id)
    return render_template("landlord/release.html", sheet=sheet, unit=card), sheet.status


@landlord.get("/units/<unit_id>/lock")
@live("unit", "unit_id")
def lock(unit_id: str) -> str:
    """The lock's health and safety; never comings and goings."""
    card = landlord_views.get_unit(world(), account_id=account_id(), unit_id=unit_id, managing=True)
    timeline = landlord_views.list_lock_health(world(), account_id=account_id(), unit_id=unit_id) if card.lock else ()
    return render_template("landlord/lock.html", unit=card, timeline=timeline)
