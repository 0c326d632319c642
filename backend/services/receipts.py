"""Receipts (登记凭证) as their holders read, print and hand on: the tenant's two and the landlord's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.printing.fonts import FontMissing, find_font
from backend.printing.paper import Imprint
from backend.printing.receipts import ReceiptPaper, print_receipt
from backend.services.own_leases import own_lease, registration_of
from backend.services.own_registrations import own_registration
from backend.services.persons import name_of
from backend.services.tenancies import address_of
from backend.wire.receipts import ReceiptInvalid, claims_of, qr_text

KINDS = ("declaration", "check_out", "landlord_report")


@dataclass(frozen=True)
class ReceiptView:
    """A receipt of `kind` (one of KINDS): `token` is what the registry signed, `link` is what the QR code carries.

    The landlord's has no `holder_name`: it says nothing of the tenant.
    """

    kind: str
    receipt_no: str
    token: str
    link: str
    declared_at: datetime
    accepted_at: datetime
    address: str
    holder_name: str
    checkout_receipt_no: str | None
    moved_out_on: date | None


def get_receipt(world: World, *, account_id: str, registration_id: str, kind: str = "declaration") -> ReceiptView:
    """The registry's receipt for one's own registration or check-out. Raises Refused not_found before there is one."""
    with reading() as session:
        return receipt_view(world, session, own_registration(session, account_id, registration_id), kind)


def get_landlord_receipt(world: World, *, account_id: str, lease_id: str) -> ReceiptView:
    """The registry's receipt for the landlord's own report. Raises Refused not_found before there is one."""
    with reading() as session:
        lease = own_lease(session, account_id, lease_id)
        return receipt_view(world, session, registration_of(session, lease.id), "landlord_report")


def print_receipt_pdf(
    world: World, *, account_id: str, registration_id: str, language: str, kind: str = "declaration"
) -> bytes:
    """The same as a PDF in 'zh' or 'en'. Raises Refused print.no_font where nothing can be printed."""
    view = get_receipt(world, account_id=account_id, registration_id=registration_id, kind=kind)
    return receipt_pdf(view, imprint(world, language))


def print_landlord_receipt_pdf(world: World, *, account_id: str, lease_id: str, language: str) -> bytes:
    """The landlord's receipt as a PDF. Raises Refused print.no_font where nothing can be printed."""
    view = get_landlord_receipt(world, account_id=account_id, lease_id=lease_id)
    return receipt_pdf(view, imprint(world, language))


def receipt_view(world: World, session: Session, registration: Registration, kind: str) -> ReceiptView:
    """One receipt of a registration, read inside the caller's unit; the caller has checked who asks.

    Raises Refused not_found before there is one.
    """
    number, token = {
        "declaration": (registration.receipt_no, registration.receipt_token),
        "check_out": (registration.checkout_receipt_no, registration.checkout_receipt_token),
        "landlord_report": (registration.landlord_receipt_no, registration.landlord_receipt_token),
    }[kind]
    if number is None or token is None:
        raise Refused("not_found")
    try:
        signed = claims_of(token)  # stored after its signature was verified
    except ReceiptInvalid:
        raise Refused("not_found") from None
    unit = session.get_one(Unit, registration.unit_id)
    person = session.get(Person, registration.person_id) if registration.person_id else None
    of_tenant = kind != "landlord_report"
    return ReceiptView(
        kind=kind,
        receipt_no=number,
        token=token,
        link=receipt_link(world, token),
        declared_at=signed.declared_at,
        accepted_at=signed.accepted_at,
        address=address_of(session.get_one(Dwelling, unit.dwelling_id), unit),
        holder_name=name_of(world, session, person) if of_tenant and person is not None else "",
        checkout_receipt_no=registration.checkout_receipt_no if of_tenant else None,
        moved_out_on=registration.moved_out_on if kind == "check_out" else None,
    )


def receipt_link(world: World, token: str) -> str:
    """What a receipt's QR code carries: the public page, and behind # the token, which no browser sends to a server."""
    return f"{world.house.mobile_url}/r/#{qr_text(token)}"


def receipt_pdf(view: ReceiptView, imprint: Imprint) -> bytes:
    """A receipt on paper."""
    paper = ReceiptPaper(
        view.kind,
        view.receipt_no,
        view.link,
        view.address,
        view.declared_at,
        view.accepted_at,
        view.holder_name,
        view.moved_out_on,
    )
    return print_receipt(paper, imprint)


def imprint(world: World, language: str, office: str = "") -> Imprint:
    """What every paper printed now carries. Raises Refused print.no_font where no font has Chinese letters."""
    try:
        font = find_font(world.house.print_font)
    except FontMissing:
        raise Refused("print.no_font") from None
    return Imprint(font, language, world.clock.now(), office)
