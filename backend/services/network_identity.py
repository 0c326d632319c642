"""The national network identity as an equal way: begun here, confirmed elsewhere, and one word that comes back (NID-R).

A request is bound to account, person, document and sign-in, good once and for five minutes. Refusing there, or letting
it run out, takes nothing away: the other ways stay.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.persons import age_band
from backend.domain.refusals import Refused
from backend.gateways.network_identity import NetworkIdentity, NetworkIdentityUnavailable, NetworkTicketRefused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.network_identity import NetworkIdentityRequest
from backend.models.persons import Person
from backend.services.audit import Actor, write_leaf
from backend.services.identity_reviews import close_review
from backend.services.identity_states import settle_identity
from backend.services.persons import birth_of, name_of, number_of
from backend.wire.network_identity import NetworkRequest

RETURN_PATH = "/t/network-identity"


@dataclass(frozen=True)
class NetworkPage:
    """The service's own page for the person, and until when it can be used."""

    id: str
    page: str
    expires_at: datetime


@dataclass(frozen=True)
class NetworkOutcome:
    """How it ended: 'verified', 'refused' or 'expired'; and where the identity stands now."""

    result: str
    state: str


def begin_request(world: World, *, account_id: str, session_id: str) -> NetworkPage:
    """Ask the service for a page on which the account's person confirms; nothing but a result will come back.

    Raises Refused network.absent, network.unavailable, person.missing, person.minor, identity.settled.
    """
    service = _service(world)
    now, state = world.clock.now(), secrets.token_urlsafe(24)
    row = NetworkIdentityRequest(
        id=new_id(),
        account_id=account_id,
        session_id=session_id,
        state_hash=sha256(state.encode()).digest(),
        created_at=now,
        expires_at=now + world.house.network_identity_life,
    )
    with transaction() as session:
        person = _asking_person(world, session, account_id)
        row.person_id, row.id_number_token = person.id, person.id_number_token
        session.add(row)
        request = NetworkRequest(
            request_id=row.id,
            id_type=person.id_type,
            id_number=number_of(world, session, person),
            name=name_of(world, session, person),
            return_to=f"{world.house.mobile_url}{RETURN_PATH}/{row.id}?state={state}",
            sent_at=now,
        )
        expires_at = row.expires_at
    try:
        begun = service.begin(request)  # outside the transaction: it is a call to another office
    except NetworkIdentityUnavailable:
        raise Refused("network.unavailable") from None
    return NetworkPage(request.request_id, begun.page, min(begun.expires_at, expires_at))


def finish_request(
    world: World, *, account_id: str, session_id: str, request_id: str, state: str, ticket: str
) -> NetworkOutcome:
    """Turn the ticket the person came back with into a result; 'verified' settles the identity.

    Raises Refused network.other, network.used, network.expired, network.unavailable, network.absent, not_found. An
    outage gives the request back, so that the same return can be tried again.
    """
    service = _service(world)
    # Its own write unit, committed before the slow call: a replayed return finds the request used.
    _use(world, account_id, session_id, request_id, state)
    try:
        result = service.redeem(request_id, ticket)
    except NetworkIdentityUnavailable:
        _give_back(request_id)
        raise Refused("network.unavailable") from None
    except NetworkTicketRefused:
        raise Refused("network.used") from None
    return _record(world, account_id, request_id, result)


def _service(world: World) -> NetworkIdentity:
    if world.network_identity is None:
        raise Refused("network.absent")
    return world.network_identity


def _asking_person(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        raise Refused("person.missing")
    person = session.get_one(Person, account.person_id)
    if person.identity_state == "verified":
        raise Refused("identity.settled")
    if age_band(birth_of(world, session, person), world.clock.today()) == "under_14":
        raise Refused("person.minor")
    return person


def _use(world: World, account_id: str, session_id: str, request_id: str, state: str) -> None:
    with transaction() as session:
        row = session.get(NetworkIdentityRequest, request_id, with_for_update=True)
        if row is None or row.account_id != account_id:
            raise Refused("not_found", "request_id")
        if row.used_at is not None:
            raise Refused("network.used")
        if row.expires_at <= world.clock.now():
            raise Refused("network.expired")
        account = session.get_one(Account, account_id)
        person = session.get_one(Person, row.person_id)
        fits = (
            row.session_id == session_id
            and row.person_id == account.person_id
            and hmac.compare_digest(row.id_number_token, person.id_number_token)
            and hmac.compare_digest(row.state_hash, sha256(state.encode()).digest())
        )
        if not fits:
            raise Refused("network.other")
        row.used_at = world.clock.now()


def _give_back(request_id: str) -> None:
    with transaction() as session:
        session.get_one(NetworkIdentityRequest, request_id).used_at = None


def _record(world: World, account_id: str, request_id: str, result: str) -> NetworkOutcome:
    actor = Actor("resident", account_id)
    with transaction() as session:
        row = session.get_one(NetworkIdentityRequest, request_id)
        row.outcome = result
        person = session.get_one(Person, row.person_id)
        if result == "verified":
            settle_identity(
                world,
                session,
                person.id,
                "verified",
                method="network_identity",
                provider="network_identity",
                actor=actor,
            )
            close_review(world, session, person.id, actor)
        else:
            write_leaf(
                world, session, actor, "identity_network_identity", subject_id=person.id, decision=result
            )
        return NetworkOutcome(result, person.identity_state)
