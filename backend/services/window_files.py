"""A person's own file at the window: what their phone would show them, read aloud or printed by an officer.

Each look and each paper is a leaf before anything is read, and the person finds it on their access record. Door events
are not here: nobody but the tenant learns when a door was opened, and no officer prints it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from backend.domain.officers import covers
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.printing.foreign_forms import ForeignForm, print_foreign_form
from backend.printing.personal import print_personal_paper
from backend.queries.dwellings import get_dwelling
from backend.services.access_records import export_my_data, my_access_records
from backend.services.audit import write_leaf
from backend.services.consents import ConsentView, list_consents
from backend.services.declared_for import list_declared_for
from backend.services.erasures import ErasureView, get_erasure
from backend.services.foreign_paths import get_foreign_form
from backend.services.guardians import ChildView, list_children
from backend.services.hands import Desk, acting_for, note_service
from backend.services.household_members import MemberView
from backend.services.landlord_views import LeaseView, UnitCard, landlord_home, list_leases
from backend.services.persons import IdentityView, my_identity
from backend.services.receipts import imprint, print_landlord_receipt_pdf, print_receipt_pdf
from backend.services.registry_corrections import CorrectionView, list_corrections
from backend.services.report_views import ReportView
from backend.services.reported_answers import ReportedView, list_reported
from backend.services.reports import find_own_report, get_report
from backend.services.tenancies import TenancyView, my_tenancies
from backend.services.wards import children_of
from backend.services.window_leases import LeaseOffer, list_offers
from backend.services.window_papers import access_sections, export_sections
from backend.services.window_visits import Visit

LOOKED_AT = ("name", "id_type", "id_number_masked", "identity_state", "residence_dates", "registry_state")
REPORT_SHOWN = ("report", "answer", "rating")


@dataclass(frozen=True)
class LetUnit:
    """A unit of a landlord with its leases, newest first."""

    card: UnitCard
    leases: tuple[LeaseView, ...]


@dataclass(frozen=True)
class WindowFile:
    """What is known of the person at the window, as far as it lies in the officer's area."""

    identity: IdentityView
    consents: tuple[ConsentView, ...]
    offers: tuple[LeaseOffer, ...]
    tenancies: tuple[TenancyView, ...]
    corrections: dict[str, tuple[CorrectionView, ...]]
    reported: tuple[ReportedView, ...]
    children: tuple[ChildView, ...]
    answered_for: tuple[MemberView, ...]
    let: tuple[LetUnit, ...]
    erasure: ErasureView


def look_at_file(world: World, *, session_id: str, visit: Visit, area: str) -> WindowFile:
    """The file of the person of an open visit. Raises as `hands.acting_for`; the look is written down first."""
    here = _note_look(world, session_id, visit, area)
    account_id = visit.account_id
    identity = my_identity(world, account_id=account_id)
    assert identity is not None  # a visit is a person's
    near = tuple(t for t in my_tenancies(world, account_id=account_id) if covers(area, t.division))
    home = landlord_home(world, account_id=account_id)
    return WindowFile(
        identity=identity,
        consents=list_consents(world, account_id=account_id),
        offers=list_offers(world, account_id=account_id, area=area),
        tenancies=near,
        corrections={
            t.registration_id: list_corrections(world, account_id=account_id, registration_id=t.registration_id)
            for t in near
        },
        reported=list_reported(world, account_id=account_id, waiting=True, area=area),
        children=list_children(world, account_id=account_id),
        answered_for=tuple(m for m in list_declared_for(world, account_id=account_id) if m.registration_id in here),
        let=tuple(
            LetUnit(card, _leases_of(world, account_id, card))
            for card in home.units
            if covers(area, get_dwelling(card.dwelling_id).division)
        ),
        erasure=get_erasure(world, account_id=account_id),
    )


def _leases_of(world: World, account_id: str, card: UnitCard) -> tuple[LeaseView, ...]:
    if card.state == "mandate_over":
        return ()
    return list_leases(world, account_id=account_id, unit_id=card.unit_id)


def look_at_report(world: World, *, session_id: str, visit: Visit, reference: str) -> tuple[str, ReportView | None]:
    """One report that the person asks about by its reference: (id, the report); on paper nobody asks, so nothing shows.

    The look is written down first, with what it shows. Raises Refused not_found at `reference` where the person has
    reported no such thing, and as `hands.acting_for`.
    """
    report_id = find_own_report(account_id=visit.account_id, reference=reference)
    asked = visit.channel == "window"
    fields = REPORT_SHOWN if asked else ()
    note_service(world, session_id, visit.id, visit.account_id, "open_report", fields=fields, case_id=report_id)
    return report_id, get_report(world, account_id=visit.account_id, report_id=report_id) if asked else None


def print_receipt_at_window(
    world: World, *, session_id: str, visit: Visit, registration_id: str, kind: str, language: str
) -> bytes:
    """A receipt of the person's own registration or check-out as a PDF. Raises not_found before there is one."""
    fields = ("name", "registry_state")
    note_service(
        world, session_id, visit.id, visit.account_id, "print_receipt", fields=fields, registration_id=registration_id
    )
    return print_receipt_pdf(
        world, account_id=visit.account_id, registration_id=registration_id, language=language, kind=kind
    )


def print_landlord_receipt_at_window(
    world: World, *, session_id: str, visit: Visit, lease_id: str, language: str
) -> bytes:
    """The receipt of the landlord's own report as a PDF. Raises not_found before there is one."""
    note_service(world, session_id, visit.id, visit.account_id, "print_landlord_receipt", lease_id=lease_id)
    return print_landlord_receipt_pdf(world, account_id=visit.account_id, lease_id=lease_id, language=language)


def print_foreign_form_at_window(
    world: World, *, session_id: str, visit: Visit, registration_id: str, language: str
) -> bytes:
    """The foreigners' form (EEL-39), filled in, for the person to sign and take to the police; the number is whole."""
    note_service(
        world,
        session_id,
        visit.id,
        visit.account_id,
        "print_foreign_form",
        fields=("name", "id_type", "id_number"),
        registration_id=registration_id,
    )
    form = get_foreign_form(world, account_id=visit.account_id, registration_id=registration_id)
    surname, _, given = (form.name_latin or "").partition(" ")
    filled = ForeignForm(
        form_no=form.form_no,
        due_at=form.due_at,
        surname=surname,
        given_names=given,
        name_zh=form.name,
        sex=form.sex,
        birth_on=form.birth_on,
        nationality=form.nationality,
        id_type=form.id_type,
        id_number=form.id_number,
        address=form.address,
        public_number=form.unit_no,
        arrived_on=form.move_in_on,
        leaves_on=form.planned_end_on,
        host=form.host_alias,
        for_holder=True,
    )
    return print_foreign_form(filled, imprint(world, language))


def print_access_at_window(world: World, *, session_id: str, visit: Visit, language: str) -> bytes:
    """谁看过我的数据 on paper: every look of an office, this one included."""
    note_service(world, session_id, visit.id, visit.account_id, "print_access")
    items = my_access_records(world, account_id=visit.account_id, limit=500).items
    title = ("谁看过我的数据", "Who has seen my data")
    identity = my_identity(world, account_id=visit.account_id)
    holder = identity.name if identity else ""
    return print_personal_paper(title, holder, access_sections(items, language), imprint(world, language))


def print_export_at_window(world: World, *, session_id: str, visit: Visit, language: str) -> bytes:
    """Everything Anju holds about the person on paper (PIPL-45); the document number stays masked."""
    data = export_my_data(world, account_id=visit.account_id, desk=Desk(session_id, visit.id))
    title = ("安居保存的本人数据", "What Anju holds about me")
    holder = (data["identity"] or {}).get("name", "")
    return print_personal_paper(title, holder, export_sections(data, language), imprint(world, language))


def find_answers(world: World, *, session_id: str, visit: Visit, act: str, registration_id: str) -> dict[str, object]:
    """What stands in a registration of the person at the window, to begin `act` from; the look is written down."""
    fields = ("residence_dates",)
    note_service(world, session_id, visit.id, visit.account_id, act, fields=fields, registration_id=registration_id)
    row = next(
        (t for t in my_tenancies(world, account_id=visit.account_id) if t.registration_id == registration_id), None
    )
    if row is None:
        return {}
    view, identity = row.registration, my_identity(world, account_id=visit.account_id)
    return {
        "move_in_on": view.move_in_on,
        "planned_end_on": view.planned_end_on,
        "reason": view.reason,
        "hukou_division": identity.hukou_division if identity else None,
    }


def _note_look(world: World, session_id: str, visit: Visit, area: str) -> set[str]:
    """A leaf for the person, and one for everybody whose name stands in the file.

    Answers the registrations in the area that the person has declared for others.
    """
    desk = Desk(session_id, visit.id)
    with acting_for(world, visit.account_id, desk, "open_file", fields=LOOKED_AT) as (session, hand):
        declared = session.execute(
            select(Registration.id, Registration.person_id)
            .join(Unit, Unit.id == Registration.unit_id)
            .join(Dwelling, Dwelling.id == Unit.dwelling_id)
            .where(
                Registration.declarer_id == visit.person_id,
                Dwelling.division.startswith(area, autoescape=True),
            )
        ).all()
        named = {row.person_id for row in declared}
        named |= {child.id for child in children_of(world, session, visit.person_id)}
        for person_id in sorted(filter(None, named)):
            write_leaf(
                world,
                session,
                hand.actor,
                "served_at_window",
                subject_id=person_id,
                object_kind="visit",
                object_id=visit.id,
                fields=LOOKED_AT[:3],
                decision="open_file",
            )
        return {row.id for row in declared}
