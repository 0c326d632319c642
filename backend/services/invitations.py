"""Invitations: one link brings one phone to one lease and its key, or to one visitor's key."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import new_id
from backend.domain.persons import decide_phone, mask_phone
from backend.domain.refusals import Refusal, Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.persons import Person
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.services import outbox, vault
from backend.services.audit import Actor, write_leaf
from backend.services.declarations import find_living
from backend.services.hands import Hand
from backend.services.inbox import tell_person
from backend.services.key_changes import activate_visitor, change_key, unit_alias
from backend.services.key_lists import key_ends
from backend.services.letting_rights import is_right_seen
from backend.services.own_leases import living_key, own_lease_to_change, registration_of
from backend.services.persons import name_of
from backend.services.registration_changes import change_registration
from backend.wire.jwk import public_key_from_jwk, thumbprint


@dataclass(frozen=True)
class InvitationView:
    """An invitation as the landlord sees it; `state` is pending, accepted, cancelled or expired.

    `message` is what became of its short message: none (made without one), waiting, sent or failed.
    """

    id: str
    state: str
    link: str
    phone_masked: str
    expires_at: datetime
    message: str


@dataclass(frozen=True)
class InvitationFace:
    """What anyone with the link sees before signing in: nothing personal. A visitor's key has a `purpose`.

    An occupant who asks a visitor in is only called 住户: a link must not tell who lives where.
    """

    landlord_alias: str
    unit_alias: str
    starts_on: date
    ends_on: date | None
    state: str
    phone_masked: str
    purpose: str | None = None
    is_mine: bool | None = None  # None: nobody has signed in
    right_seen: bool | None = None  # whether the staff has seen the right to let; None for a visitor, who rents nothing


@dataclass(frozen=True)
class PendingInvitation:
    """An open invitation to a phone, for who has signed in with that phone: the link's token, and its face."""

    token: str
    expires_at: datetime
    face: InvitationFace


@dataclass(frozen=True)
class Accepted:
    """The tenant's three things; a visitor has the key alone."""

    lease_id: str | None
    registration_id: str | None
    key_id: str


def invite_tenant(world: World, *, account_id: str, lease_id: str, phone: str | None = None) -> InvitationView:
    """Issue the key and invite the tenant; asked again, a new link is sent and the old one dies.

    `phone` mends a mistyped number, or gives one to a lease that was recorded without: it is the lease's from now on.

    Raises Refused invitation.not_open when the tenant has accepted or the lease is over, phone.invalid.
    """
    number = decide_phone(phone) if phone is not None else None
    if isinstance(number, Refusal):
        raise Refused.of([number])
    with transaction() as session:
        lease = own_lease_to_change(world, session, account_id, lease_id)
        key = living_key(session, lease.id)
        if lease.state != "active" or key is None or key.state not in ("draft", "invited"):
            raise Refused("invitation.not_open")
        actor = Actor("resident", account_id)
        for open_one in session.scalars(_open_of(lease.id)):
            open_one.state = "cancelled"
        if key.state == "draft":
            change_key(world, session, key, "invite", actor)
        if number is None:
            number = vault.unseal(world, session, lease.id, "leases.named_phone", lease.id, lease.named_phone_sealed)
        else:
            sealed = vault.seal(world, session, lease.id, "leases.named_phone", lease.id, number)
            lease.named_phone_sealed, lease.version = sealed, lease.version + 1
        if not number:  # recorded at the window without one
            raise Refused("input.missing", "phone")
        invitation = make_invitation(world, session, number, lease_id=lease.id)
        write_leaf(world, session, actor, "tenant_invited", object_kind="lease", object_id=lease.id)
        return invitation_view(world, session, invitation)


def cancel_invitation(world: World, *, account_id: str, lease_id: str) -> InvitationView:
    """Take the open invitation back; the key goes back to a draft."""
    with transaction() as session:
        lease = own_lease_to_change(world, session, account_id, lease_id)
        invitation = session.scalar(_open_of(lease.id))
        key = living_key(session, lease.id)
        if invitation is None or key is None:
            raise Refused("invitation.not_open")
        invitation.state = "cancelled"
        change_key(world, session, key, "uninvite", Actor("resident", account_id))
        return invitation_view(world, session, invitation)


def look_at_invitation(world: World, *, token: str, account_id: str | None = None) -> InvitationFace:
    """What the link shows before signing in; with an account also whether it went to that account's phone.

    Raises Refused invitation.unknown / used / expired / cancelled.
    """
    with reading() as session:
        invitation = _open_invitation(world, session, token)
        face = _face(world, session, invitation)
        if account_id is None:
            return face
        return replace(face, is_mine=invitation.phone_token == session.get_one(Account, account_id).phone_token)


def list_my_invitations(world: World, *, account_id: str) -> tuple[PendingInvitation, ...]:
    """The open invitations to the phone this account has proved to hold, newest first: for who has lost the link."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        rows = session.scalars(
            select(Invitation)
            .outerjoin(Lease, Lease.id == Invitation.lease_id)
            .outerjoin(Key, Key.id == Invitation.key_id)
            .where(
                Invitation.phone_token == account.phone_token,
                Invitation.state == "pending",
                Invitation.expires_at >= world.clock.now(),
                (Lease.state == "active") | (Key.state == "invited"),  # what has ended has no key to be read with
            )
            .order_by(Invitation.created_at.desc(), Invitation.id.desc())
        )
        return tuple(
            PendingInvitation(_token_of(world, session, row), row.expires_at, _face(world, session, row))
            for row in rows
        )


def accept_invitation(world: World, *, account_id: str, token: str, phone_jwk: dict[str, Any]) -> Accepted:
    """Accept with the invited phone and bind the key to the phone's own P-256 key; repeated, no change.

    Raises Refused invitation.*, invitation.other_phone, key.phone_key.
    """
    jwk, print_ = phone_key(phone_jwk)
    with transaction() as session:
        account = session.get_one(Account, account_id)
        mine = _already_accepted(session, account_id, token, print_)
        if mine is not None:
            return mine
        invitation = _open_invitation(world, session, token)
        if invitation.phone_token != account.phone_token:
            raise Refused("invitation.other_phone")
        invitation.state, invitation.accepted_by = "accepted", account_id
        invitation.accepted_at = world.clock.now()
        if invitation.lease_id is None:
            return _accept_visit(world, session, account_id, invitation, jwk, print_)
        lease = session.get_one(Lease, invitation.lease_id)
        key = living_key(session, lease.id)
        if lease.state != "active" or key is None:
            raise Refused("invitation.cancelled")
        if key.phone_thumbprint is not None and key.phone_thumbprint != print_:  # issued side by side, to another phone
            raise Refused("key.other_holder")
        hold_lease(world, session, account, lease, key)
        key.phone_jwk, key.phone_thumbprint = jwk, print_
        if key.state != "claimed":
            change_key(world, session, key, "claim", Actor("resident", account_id))
        tell_person(world, session, lease.landlord_id, "invitation_accepted", once=invitation.id, alias=lease.alias,
                    lease_id=lease.id)  # fmt: skip
        return Accepted(lease.id, registration_of(session, lease.id).id, key.id)


def hold_lease(
    world: World, session: Session, account: Account, lease: Lease, key: Key, hand: Hand | None = None
) -> None:
    """Make this account the tenant of a lease and the holder of its key, inside the present write unit.

    `hand`: an officer's at the window, else it is done by the account itself.
    """
    hand = hand or Hand(Actor("resident", account.id), "tenant")
    registration = registration_of(session, lease.id)
    key.holder_account_id = account.id
    if registration.tenant_leg == "declared" and registration.declared_by != "self":
        # Somebody spoke for the tenant; the key is still the tenant's, whose identity it waits for.
        if account.person_id not in (None, registration.person_id):
            raise Refused("household.represented")
        key.holder_id = registration.person_id
        return
    key.holder_id = account.person_id
    if registration.tenant_leg != "declared":
        registration.tenant_leg = "draft"
        registration.draft_expires_at = world.clock.now() + world.house.draft_life
    # Who is registered here on another's word already keeps that until they declare under their own lease.
    along = account.person_id is not None and find_living(session, account.person_id, lease.unit_id)
    registration.person_id = None if along and along.id != registration.id else account.person_id
    lease.tenant_id = account.person_id
    change_registration(world, session, registration, "accept", hand.actor, source=hand.source)


def invitation_view(world: World, session: Session, invitation: Invitation) -> InvitationView:
    """An invitation with its link, for the landlord who made it."""
    phone = vault.unseal(world, session, invitation.aim_id, "invitations.phone", invitation.id, invitation.phone_sealed)
    token = _token_of(world, session, invitation)
    expired = invitation.state == "pending" and invitation.expires_at < world.clock.now()
    return InvitationView(
        invitation.id,
        "expired" if expired else invitation.state,
        f"{world.house.mobile_url}/i/{token}",
        mask_phone(phone),
        invitation.expires_at,
        outbox.find_course(session, "sms", invitation.id),
    )


def landlord_alias(world: World, session: Session, lease: Lease) -> str:
    """How a landlord is called before anyone has signed in: the family name alone."""
    return family_alias(world, session, session.get_one(Person, lease.landlord_id))


def host_alias(world: World, session: Session, head: Registration) -> str | None:
    """The landlord's family name alone: of the lease, else of the unit; None where nobody has enrolled it."""
    if head.lease_id is not None:
        return landlord_alias(world, session, session.get_one(Lease, head.lease_id))
    landlord_id = session.get_one(Unit, head.unit_id).landlord_id
    return family_alias(world, session, session.get_one(Person, landlord_id)) if landlord_id else None


def family_alias(world: World, session: Session, person: Person) -> str:
    """The family name alone."""
    return f"{name_of(world, session, person)[0]}*"


def _open_of(lease_id: str) -> Any:
    return select(Invitation).where(Invitation.lease_id == lease_id, Invitation.state == "pending")


def make_invitation(
    world: World,
    session: Session,
    number: str,
    *,
    lease_id: str | None = None,
    key_id: str | None = None,
    send: bool = True,
) -> Invitation:
    """Make a link to a lease, or to a visitor's key, inside the present write unit; `send`: by a short message too."""
    token, invitation_id, now = secrets.token_urlsafe(24), new_id(), world.clock.now()
    aim = lease_id or key_id or ""
    invitation = Invitation(
        id=invitation_id,
        lease_id=lease_id,
        key_id=key_id,
        token_hash=sha256(token.encode()).digest(),
        token_sealed=vault.seal(world, session, aim, "invitations.token", invitation_id, token),
        phone_token=world.key_ring.blind_index("phone", number),
        phone_sealed=vault.seal(world, session, aim, "invitations.phone", invitation_id, number),
        state="pending",
        expires_at=now + world.house.invitation_life,
        created_at=now,
    )
    session.add(invitation)
    session.flush()
    if send:
        outbox.put(world, session, "sms", invitation.id, "invitation", {"invitation_id": invitation.id})
    return invitation


def _token_of(world: World, session: Session, invitation: Invitation) -> str:
    return vault.unseal(world, session, invitation.aim_id, "invitations.token", invitation.id, invitation.token_sealed)


def _face(world: World, session: Session, invitation: Invitation) -> InvitationFace:
    phone = vault.unseal(world, session, invitation.aim_id, "invitations.phone", invitation.id, invitation.phone_sealed)
    if invitation.lease_id is None:
        return _visitors_face(world, session, invitation, mask_phone(phone))
    lease = session.get_one(Lease, invitation.lease_id)
    return InvitationFace(
        landlord_alias=landlord_alias(world, session, lease),
        unit_alias=unit_alias(session, lease.unit_id),
        starts_on=lease.starts_on,
        ends_on=lease.ends_on,
        state=invitation.state,
        phone_masked=mask_phone(phone),
        right_seen=is_right_seen(world, session, lease.unit_id, lease.landlord_id),
    )


def _visitors_face(world: World, session: Session, invitation: Invitation, phone_masked: str) -> InvitationFace:
    key = session.get_one(Key, invitation.key_id)
    host = "住户"
    if key.issuer_role == "landlord":
        landlord = session.get_one(Person, session.get_one(Unit, key.unit_id).landlord_id)
        host = family_alias(world, session, landlord)
    return InvitationFace(
        host, unit_alias(session, key.unit_id), key.starts_on, key.ends_on, invitation.state, phone_masked, key.purpose
    )


def _accept_visit(
    world: World, session: Session, account_id: str, invitation: Invitation, jwk: dict[str, Any], print_: str
) -> Accepted:
    """The visitor's phone and nothing more: no identity is asked for, no residence begins."""
    key = session.get_one(Key, invitation.key_id, with_for_update=True)
    ends = key_ends(key)
    if key.state != "invited" or (ends is not None and ends <= world.clock.now()):
        raise Refused("invitation.cancelled")
    key.holder_account_id = account_id
    key.phone_jwk, key.phone_thumbprint = jwk, print_
    change_key(world, session, key, "claim", Actor("resident", account_id))
    activate_visitor(world, session, key)
    return Accepted(None, None, key.id)


def _find(session: Session, token: str) -> Invitation | None:
    return session.scalar(select(Invitation).where(Invitation.token_hash == sha256(token.encode()).digest()))


def _open_invitation(world: World, session: Session, token: str) -> Invitation:
    invitation = _find(session, token)
    if invitation is None:
        raise Refused("invitation.unknown")
    if invitation.state != "pending":
        raise Refused("invitation.used" if invitation.state == "accepted" else "invitation.cancelled")
    if invitation.expires_at < world.clock.now():
        raise Refused("invitation.expired")
    return invitation


def _already_accepted(session: Session, account_id: str, token: str, print_: str) -> Accepted | None:
    invitation = _find(session, token)
    if invitation is None or invitation.state != "accepted" or invitation.accepted_by != account_id:
        return None
    if invitation.lease_id is None:
        key = session.get_one(Key, invitation.key_id)
        return Accepted(None, None, key.id) if key.phone_thumbprint == print_ else None
    held = session.scalar(select(Key).where(Key.lease_id == invitation.lease_id, Key.phone_thumbprint == print_))
    if held is None:
        return None
    return Accepted(invitation.lease_id, registration_of(session, invitation.lease_id).id, held.id)


def phone_key(jwk: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A phone's public key in its four members, and its thumbprint. Raises Refused key.phone_key."""
    try:
        public = public_key_from_jwk(jwk)
    except (ValueError, KeyError, TypeError):
        raise Refused("key.phone_key", "phone_jwk") from None
    return {name: jwk[name] for name in ("kty", "crv", "x", "y")}, thumbprint(public)
