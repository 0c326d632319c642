"""Deleting one's data (PIPL-47): asked for once, taken back while nothing is lost, done when nothing stands against it.

Deleting is destroying the data key. Who was deleted stays as a stub under a new key, so that a registration still has
a person and every reader goes on working; no name, number or phone leads to it, and the same person may come anew.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.erasures import TIME_TO_RECONSIDER, Stays, Waits, goes_at
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.accounts import Session as SignIn
from backend.models.data_keys import DataKey
from backend.models.erasures import Erasure
from backend.models.identity_checks import IdentityChallenge, IdentityCheck
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.leases import Lease
from backend.models.letters import Letter
from backend.models.network_identity import NetworkIdentityRequest
from backend.models.notices import Notice
from backend.models.persons import Person
from backend.models.registrations import Registration, RegistrationChange
from backend.models.requests import RememberedRequest
from backend.services import vault
from backend.services.audit import SYSTEM, write_leaf
from backend.services.batches import do_each
from backend.services.erasure_facts import find_stays, find_waits
from backend.services.field_sources import forget_earlier_values
from backend.services.hands import Desk, acting_for

GONE = "—"  # what stands where a name stood
GONE_DAY = "1900-01-01"


@dataclass(frozen=True)
class ErasureView:
    """Whether deleting was asked for, and how it stands.

    `goes_at`: when it takes effect (asked now, if it was not asked for yet); None while something has to end first
    whose end nobody can say. `waits` has to be over before, `stays` is kept afterwards. `reconsider_until`: it can be
    taken back until then at least, and for as long as it has not taken effect.
    """

    asked_at: datetime | None
    goes_at: datetime | None
    reconsider_until: datetime
    waits: tuple[Waits, ...]
    stays: tuple[Stays, ...]


def get_erasure(world: World, *, account_id: str) -> ErasureView:
    """What deleting would mean for this account now, or how the request stands."""
    with reading() as session:
        return _view(world, session, session.get_one(Account, account_id))


def ask_erasure(world: World, *, account_id: str, desk: Desk | None = None) -> ErasureView:
    """Ask to have everything deleted; asked again, nothing changes."""
    with acting_for(world, account_id, desk, "ask_erasure") as (session, hand):
        account = session.get_one(Account, account_id, with_for_update=True)
        if _open_request(session, account_id) is None:
            session.add(Erasure(id=new_id(), account_id=account_id, asked_at=world.clock.now()))
            write_leaf(world, session, hand.actor, "erasure_asked", subject_id=account.person_id)
            session.flush()
        return _view(world, session, account)


def withdraw_erasure(world: World, *, account_id: str, desk: Desk | None = None) -> ErasureView:
    """Take the request back: everything is as it was; without a request nothing changes."""
    with acting_for(world, account_id, desk, "withdraw_erasure") as (session, hand):
        account = session.get_one(Account, account_id, with_for_update=True)
        asked = _open_request(session, account_id)
        if asked is not None:
            asked.withdrawn_at = world.clock.now()
            write_leaf(world, session, hand.actor, "erasure_withdrawn", subject_id=account.person_id)
            session.flush()
        return _view(world, session, account)


def finish_erasures(world: World, session: Session) -> None:
    """Delete for whoever has asked and nothing stands against it any more. Run by the housekeeping."""
    ripe = world.clock.now() - TIME_TO_RECONSIDER
    asked = select(Erasure).where(Erasure.withdrawn_at.is_(None), Erasure.done_at.is_(None), Erasure.asked_at <= ripe)
    do_each(session, session.scalars(asked).all(), lambda erasure: _finish(world, session, erasure), name="erasures")


def _finish(world: World, session: Session, erasure: Erasure) -> None:
    account = session.get_one(Account, erasure.account_id, with_for_update=True)
    session.refresh(erasure)  # as whoever held the account before has left it
    due = goes_at(erasure.asked_at, find_waits(world, session, account))
    if erasure.withdrawn_at is None and due is not None and due <= world.clock.now():
        erase_account(world, session, account)
        erasure.done_at = world.clock.now()


def _open_request(session: Session, account_id: str) -> Erasure | None:
    return session.scalar(
        select(Erasure).where(
            Erasure.account_id == account_id, Erasure.withdrawn_at.is_(None), Erasure.done_at.is_(None)
        )
    )


def _view(world: World, session: Session, account: Account) -> ErasureView:
    asked, waits = _open_request(session, account.id), find_waits(world, session, account)
    begun = asked.asked_at if asked is not None else world.clock.now()
    return ErasureView(
        asked_at=asked.asked_at if asked is not None else None,
        goes_at=goes_at(begun, waits),
        reconsider_until=begun + TIME_TO_RECONSIDER,
        waits=waits,
        stays=find_stays(world, session, account),
    )


def erase_account(world: World, session: Session, account: Account) -> None:
    person_id = account.person_id
    _forget_account(world, session, account)
    if person_id is not None:
        erase_person(world, session, person_id)
    write_leaf(
        world, session, SYSTEM, "person_erased", subject_id=person_id, object_kind="account", object_id=account.id
    )


def erase_person(world: World, session: Session, person_id: str) -> None:
    """Destroy a person's data key, and what the leases named of them, inside the present write unit; a stub stays."""
    _forget_person(world, session, session.get_one(Person, person_id, with_for_update=True))
    for lease in session.scalars(select(Lease).where(Lease.tenant_id == person_id)).all():
        forget_named(world, session, lease)


def forget_named(world: World, session: Session, lease: Lease) -> None:
    """Destroy what a lease and its invitations name of the tenant (PSAL-68), once nobody lives there under it."""
    _forget_tenant(world, session, lease)
    _forget_invitations(world, session, lease)


def _forget_account(world: World, session: Session, account: Account) -> None:
    """No phone leads here any more, nobody is signed in, no message is left."""
    account.person_id = None
    if account.phone_token is not None:
        account.phone_token, account.phone_sealed = secrets.token_bytes(32), b""
    session.execute(delete(DataKey).where(DataKey.subject_id == account.id))
    session.execute(
        update(SignIn).where(SignIn.account_id == account.id).values(ended_at=world.clock.now(), user_agent="")
    )
    for told in (Notice, RememberedRequest, NetworkIdentityRequest):
        session.execute(delete(told).where(told.account_id == account.id))
    ended = update(Key).where(Key.holder_account_id == account.id, Key.state == "revoked")
    session.execute(ended.values(phone_jwk=None, phone_thumbprint=None))


def _forget_person(world: World, session: Session, person: Person) -> None:
    vault.renew_data_key(world, session, person.id)

    def blank(column: str, text: str) -> bytes:
        return vault.seal(world, session, person.id, f"persons.{column}", person.id, text)

    person.name_sealed, person.name_latin_sealed = blank("name", GONE), None
    person.name_token = secrets.token_bytes(32)
    person.id_number_sealed, person.id_number_token = blank("id_number", GONE), secrets.token_bytes(32)
    person.birth_on_sealed, person.sex = blank("birth_on", GONE_DAY), "unknown"
    person.hukou_division, person.nationality = None, "CHN"
    person.identity_state, person.identity_review_due_at = "none", None
    person.document_state, person.document_ask_at = "unasked", None
    person.guardian_id = person.guardian_relation = None
    person.erased_at = world.clock.now()
    person.version += 1
    session.flush()
    session.execute(delete(Letter).where(Letter.person_id == person.id))
    session.execute(delete(IdentityCheck).where(IdentityCheck.person_id == person.id))
    session.execute(delete(IdentityChallenge).where(IdentityChallenge.person_id == person.id))
    _forget_earlier_values(session, person)


def _forget_earlier_values(session: Session, person: Person) -> None:
    """What corrections have replaced: unreadable with the key, and gone."""
    homes = session.scalars(select(Registration).where(Registration.person_id == person.id)).all()
    forget_earlier_values(session, person)
    for home in homes:
        forget_earlier_values(session, home)
    changes = update(RegistrationChange).where(RegistrationChange.registration_id.in_([home.id for home in homes]))
    session.execute(changes.values(before_sealed=None))


def _forget_tenant(world: World, session: Session, lease: Lease) -> None:
    """What the landlord wrote of the tenant (PSAL-68), now that nobody lives there under this lease."""
    vault.renew_data_key(world, session, lease.id)
    for column in ("named_name", "named_id_number", "named_phone"):
        sealed = vault.seal(world, session, lease.id, f"leases.{column}", lease.id, GONE)
        setattr(lease, f"{column}_sealed", sealed)
    lease.named_id_token, lease.alias, lease.named_gone_at = secrets.token_bytes(32), GONE, world.clock.now()
    lease.version += 1


def _forget_invitations(world: World, session: Session, lease: Lease) -> None:
    """Their phone and link were sealed under the lease's key; nobody finds them by the phone either."""
    for row in session.scalars(select(Invitation).where(Invitation.lease_id == lease.id)).all():
        row.phone_token = secrets.token_bytes(32)
        row.phone_sealed = vault.seal(world, session, lease.id, "invitations.phone", row.id, GONE)
        row.token_sealed = vault.seal(world, session, lease.id, "invitations.token", row.id, GONE)
