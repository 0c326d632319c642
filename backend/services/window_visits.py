"""Visits to the window: who stands there is entered or found by their document, and served until the visit ends.

The person has an account as everybody has, only without a phone; when they get one, it is linked here, where somebody
has seen who they are, and never by the number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.ids import new_id
from backend.domain.persons import decide_phone
from backend.domain.purposes import SERVE, SERVE_AT_DOOR, decide_act
from backend.domain.refusals import Refusal, Refused
from backend.domain.visits import decide_note
from backend.domain.window import VISIT_LIFE
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.accounts import Session as PhoneSession
from backend.models.invitations import Invitation
from backend.models.keys import Key
from backend.models.notices import Notice
from backend.models.persons import Person
from backend.models.window_visits import CHANNELS, WindowVisit
from backend.services import vault
from backend.services.audit import write_leaf
from backend.services.disclosures import answer, judge_cap, note_refusal
from backend.services.document_asking import find_held, note_asking
from backend.services.document_states import record_answer
from backend.services.hands import Desk, acting_for, find_open_visit, served_action
from backend.services.identity_reviews import close_review
from backend.services.identity_states import settle_identity
from backend.services.officer_sessions import Acting, acting_officer
from backend.services.persons import Entry, ask_authority, check_entry, make_person, name_of
from backend.services.visits import visit_for

ENTERED = ("name", "id_type", "id_number")
SENT_TWICE = timedelta(minutes=1)  # the same officer begins with the same person again: one form, sent twice


@dataclass(frozen=True)
class Visit:
    """An open visit: whose account it is, through which channel ('window' or 'paper'), until when.

    `door_visit_id` is the visit at whose door the person is served, None at the window.
    """

    id: str
    account_id: str
    person_id: str
    channel: str
    ends_at: datetime
    has_phone: bool
    door_visit_id: str | None = None

    def desk(self, session_id: str, received_on: date | None = None, dated_on: date | None = None) -> Desk:
        """The desk at which an officer's session serves it."""
        return Desk(session_id, self.id, received_on, dated_on)


def open_visit(
    world: World,
    *,
    session_id: str,
    channel: str,
    document_seen: bool,
    name: str,
    id_type: str,
    id_number: str,
    birth_on: date | None = None,
    sex: str | None = None,
    nationality: str | None = None,
    hukou_division: str | None = None,
    door_visit_id: str | None = None,
) -> Visit:
    """Begin to serve the person of a document, who is entered when nobody has entered them yet.

    At the window the officer has seen the person and the original: that is an identity check (`verified`). A form on
    paper is none, and of it a name and number that do not belong together are not kept. `door_visit_id`: the person
    stands at their own door, and the officer is there on this visit of their own. Raises Refused with every faulty
    field, visit.seen, purpose.missing, purpose.unfit, reads.cap (both written down), person.unmatched, area.foreign,
    field.done, field.withdrawn, field.not_yours, not_found.
    """
    if channel not in CHANNELS:
        raise Refused("input.not_one_of", "channel", allowed=CHANNELS)
    if channel == "window" and not document_seen:
        raise Refused("visit.seen", "document_seen")
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division, nationality)
    _require_task(world, session_id, entered, door_visit_id)
    matched = ask_authority(world, entered)  # outside the write unit: it is a call to another office
    if matched is False and channel == "paper":
        raise Refused("person.unmatched", "name")
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        outcome = _judge_task(session, acting, door_visit_id) or _open(
            world, session, acting, entered, matched, channel, hukou_division, door_visit_id
        )
        note_refusal(world, session, acting, outcome, "visit", "new")
    return answer(outcome)


def get_visit(world: World, *, session_id: str, visit_id: str) -> Visit:
    """An open visit of the officer's area: a colleague may take it over at the window, nobody at a door.

    Raises Refused purpose.missing, purpose.unfit, area.foreign (written down), not_found, visit.over, and at a door
    field.not_yours, field.done, field.withdrawn.
    """
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        found = find_open_visit(world, session, acting, visit_id)
        note_refusal(world, session, acting, found, "visit", visit_id)
        outcome = found if isinstance(found, Refusal) else _view(session, found)
    return answer(outcome)


def end_visit(world: World, *, session_id: str, visit_id: str) -> None:
    """The person has gone: nothing more is done for them without a new visit. Raises as `get_visit`."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        found = find_open_visit(world, session, acting, visit_id)
        note_refusal(world, session, acting, found, "visit", visit_id)
        if isinstance(found, WindowVisit):
            found.ends_at = world.clock.now()
    answer(found)


def link_phone(world: World, *, account_id: str, phone: str, desk: Desk) -> None:
    """Give an account its phone, for a person whose document was just seen; what was kept on paper is then on it.

    Whoever has signed in with that phone before and entered no identity becomes this person, signs in anew, and binds
    a key by rebinding. The same phone again changes nothing. Raises Refused phone.invalid, window.has_phone,
    window.phone_taken, and as `acting_for`.
    """
    number = decide_phone(phone)
    if isinstance(number, Refusal):
        raise Refused.of([number])
    with acting_for(world, account_id, desk, "link_phone", fields=("phone_masked",)) as (session, _hand):
        account = session.get_one(Account, account_id, with_for_update=True)
        token = world.key_ring.blind_index("phone", number)
        if account.phone_token == token:
            return
        if account.phone_token is not None:
            raise Refused("window.has_phone", "phone")
        other = session.scalar(select(Account).where(Account.phone_token == token).with_for_update())
        if other is not None:
            if other.person_id is not None:
                raise Refused("window.phone_taken", "phone")
            _merge(world, session, other, account)
        account.phone_sealed = vault.seal(world, session, account.id, "accounts.phone", account.id, number)
        account.phone_token = token


def _require_task(world: World, session_id: str, entered: Entry, door_visit_id: str | None) -> None:
    """Nobody is asked about at the authority without a purpose, beyond the day's cap or without a trace."""
    with transaction() as session:
        acting = acting_officer(world, session, session_id)
        refusal = _judge_task(session, acting, door_visit_id) or note_asking(world, session, acting, entered)
        note_refusal(world, session, acting, refusal, "visit", "new")
    if refusal is not None:
        raise Refused.of([refusal])


def _judge_task(session: Session, acting: Acting, door_visit_id: str | None) -> Refusal | None:
    """Whether the officer may serve anybody here: by purpose and, at a door, by a visit that is their own."""
    refusal = decide_act(acting.session.purpose, SERVE if door_visit_id is None else SERVE_AT_DOOR)
    if refusal is not None or door_visit_id is None:
        return refusal
    errand = visit_for(session, acting, door_visit_id)
    if isinstance(errand, Refusal):
        return errand
    return decide_note(errand.state, errand.assignee_id, acting.officer.id)


def _open(
    world: World,
    session: Session,
    acting: Acting,
    entered: Entry,
    matched: bool | None,
    channel: str,
    hukou_division: str | None,
    door_visit_id: str | None,
) -> Visit | Refusal:
    person = find_held(world, session, entered)
    if person is not None:
        refusal = judge_cap(world, session, acting, [person.id], "served_at_window")
        if refusal is None and name_of(world, session, person) != entered.name:
            refusal = Refusal("person.unmatched", "name")
        if refusal is not None:
            return refusal
    if person is None:
        person = make_person(
            world, session, entered.name, entered.document, entered.birth_on, entered.sex, hukou_division,
            entered.nationality, source="officer", actor=acting.actor,
        )  # fmt: skip
        session.flush()
        write_leaf(world, session, acting.actor, "identity_entered", subject_id=person.id, fields=ENTERED)
    if person.document_state != "matched":
        record_answer(world, session, person, matched)
    account = _account_of(world, session, acting, person)
    if channel == "window" and person.identity_state != "verified":
        settle_identity(
            world, session, person.id, "verified", method="window", operator_id=acting.officer.id, actor=acting.actor
        )
        close_review(world, session, person.id, acting.actor)
    return _begin(world, session, acting, account, person, channel, door_visit_id)


def _begin(
    world: World,
    session: Session,
    acting: Acting,
    account: Account,
    person: Person,
    channel: str,
    door_visit_id: str | None,
) -> Visit:
    now = world.clock.now()
    before = _find_sent_twice(session, acting, account, channel, door_visit_id, now)
    if before is not None:
        return _view(session, before)
    visit = WindowVisit(
        id=new_id(),
        officer_id=acting.officer.id,
        area=acting.officer.area,
        account_id=account.id,
        channel=channel,
        at=now,
        ends_at=now + VISIT_LIFE,
        visit_id=door_visit_id,
    )
    session.add(visit)
    session.flush()
    write_leaf(
        world,
        session,
        acting.actor,
        served_action(visit),
        subject_id=person.id,
        object_kind="visit",
        object_id=visit.id,
        fields=ENTERED,
        decision="open_file",
    )
    return _view(session, visit)


def _find_sent_twice(
    session: Session, acting: Acting, account: Account, channel: str, door_visit_id: str | None, now: datetime
) -> WindowVisit | None:
    """The visit that the same form has opened a moment ago."""
    return session.scalar(
        select(WindowVisit)
        .where(
            WindowVisit.officer_id == acting.officer.id,
            WindowVisit.account_id == account.id,
            WindowVisit.channel == channel,
            WindowVisit.visit_id == door_visit_id,
            WindowVisit.at > now - SENT_TWICE,
            WindowVisit.ends_at > now,
        )
        .limit(1)
    )


def _account_of(world: World, session: Session, acting: Acting, person: Person) -> Account:
    """The person's account, made without a phone when there is none."""
    account = session.scalar(select(Account).where(Account.person_id == person.id))
    if account is None:
        account = Account(id=new_id(), person_id=person.id, desk_area=acting.officer.area, created_at=world.clock.now())
        vault.make_data_key(world, session, account.id)
        session.add(account)
        session.flush()
    return account


def _merge(world: World, session: Session, other: Account, account: Account) -> None:
    """What a phone without a person has gathered goes to the person's account; its sign-ins end."""
    other.phone_token = other.phone_sealed = None
    other.desk_area = account.desk_area or "33"
    session.flush()
    moved: Sequence[tuple[type, str]] = (
        (Key, "holder_account_id"),
        (Key, "issued_by"),
        (Invitation, "accepted_by"),
        (Notice, "account_id"),
    )
    for kind, column in moved:
        of_other = getattr(kind, column) == other.id
        session.execute(update(kind).where(of_other).values({column: account.id}))
    ended = update(PhoneSession).where(PhoneSession.account_id == other.id, PhoneSession.ended_at.is_(None))
    session.execute(ended.values(ended_at=world.clock.now()))


def _view(session: Session, visit: WindowVisit) -> Visit:
    account = session.get_one(Account, visit.account_id)
    assert account.person_id is not None  # a visit is a person's
    has_phone = account.phone_token is not None
    return Visit(visit.id, account.id, account.person_id, visit.channel, visit.ends_at, has_phone, visit.visit_id)
