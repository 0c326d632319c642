"""What is shown of a person helped to register at their own door: notice, lease and registration of this unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.visits import Visit as DoorVisit
from backend.services import outbox
from backend.services.case_messages import own_phone
from backend.services.consents import list_consents
from backend.services.hands import Desk, acting_for
from backend.services.persons import IdentityView, my_identity
from backend.services.tenancies import TenancyView, my_tenancies
from backend.services.window_leases import LeaseOffer, list_offers
from backend.services.window_visits import Visit

NOTICE = "registration_notice"
KIND = "receipt_link"
LINKED = "【安居】居住登记已申报，登录后查看登记凭证：{link} Your registration and its receipt: {link}"
LOOKED_AT = ("name", "id_type", "id_number_masked", "identity_state", "residence_dates", "registry_state")


@dataclass(frozen=True)
class DoorFile:
    """A person at their door: who they are, whether they were told and agreed, what of this unit is theirs."""

    identity: IdentityView
    unit_id: str
    agreed: bool
    offers: tuple[LeaseOffer, ...]
    tenancies: tuple[TenancyView, ...]

    @property
    def may_declare(self) -> bool:
        """Whether nothing but the person's own word leads to a declaration here: no lease waits, none lives on."""
        return not self.offers and all(home.registration.residence != "living" for home in self.tenancies)


def look_at_door_file(world: World, *, session_id: str, visit: Visit, area: str) -> DoorFile:
    """The file of the person served at a door; the look is written down first.

    Raises Refused not_found for a visit to the window, and as `hands.acting_for`.
    """
    if visit.door_visit_id is None:
        raise Refused("not_found", "visit_id")
    with acting_for(world, visit.account_id, Desk(session_id, visit.id), "open_file", fields=LOOKED_AT):
        pass
    with reading() as session:
        unit_id = session.get_one(DoorVisit, visit.door_visit_id).unit_id
        here = set(session.scalars(select(Registration.id).where(Registration.unit_id == unit_id)))
    identity = my_identity(world, account_id=visit.account_id)
    assert identity is not None  # a visit is a person's
    told = [row for row in list_consents(world, account_id=visit.account_id) if row.purpose == NOTICE]
    return DoorFile(
        identity=identity,
        unit_id=unit_id,
        agreed=any(row.given and not row.withdrawn_at and row.version == NOTICES[NOTICE].version for row in told[:1]),
        offers=tuple(o for o in list_offers(world, account_id=visit.account_id, area=area) if o.unit_id == unit_id),
        tenancies=tuple(
            home for home in my_tenancies(world, account_id=visit.account_id) if home.registration_id in here
        ),
    )


def send_receipt_link(world: World, *, session_id: str, visit: Visit, registration_id: str) -> None:
    """Text the person a link to their own receipt, on the phone that is linked; asked for twice it is sent once.

    The link leads to the sign-in and says nothing by itself. Raises Refused window.no_phone, and as `acting_for`.
    """
    desk = Desk(session_id, visit.id)
    with acting_for(world, visit.account_id, desk, "print_receipt", registration_id=registration_id) as (session, _):
        if not visit.has_phone:
            raise Refused("window.no_phone")
        sent = select(OutboxRow.id).where(OutboxRow.aggregate_id == registration_id, OutboxRow.kind == KIND)
        if session.scalar(sent.limit(1)) is None:
            payload = {"account_id": visit.account_id, "registration_id": registration_id}
            outbox.put(world, session, "sms", registration_id, KIND, payload)


def compose_receipt_link(world: World, session: Session, payload: Mapping[str, Any]) -> tuple[str, str] | None:
    """(phone, text) with the link to one's own receipt; None when the phone was taken off the account meanwhile."""
    phone = own_phone(world, session, payload["account_id"])
    link = f"{world.house.mobile_url}/t/homes/{payload['registration_id']}"
    return None if phone is None else (phone, LINKED.format(link=link))
