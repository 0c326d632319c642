"""The identity check: consent, challenge, one-to-one match in memory, and the equal other ways.

Nobody is refused by a machine: what is not a match is tried again or goes to a person. No image, no template and no
exact score is written anywhere.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import SystemRandom

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.faces import FACE_REASONS, FacePolicy, FaceVerdict
from backend.domain.ids import new_id
from backend.domain.movements import Challenge, choose_actions
from backend.domain.paces import Pace
from backend.domain.persons import age_band
from backend.domain.refusals import Refused
from backend.gateways.face_matcher import FaceBusy, FaceUnavailable, Frame
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.identity_checks import IdentityChallenge, IdentityCheck
from backend.models.persons import Person
from backend.services.audit import SYSTEM, Actor, write_leaf
from backend.services.consents import find_last, is_given
from backend.services.identity_reviews import close_review, find_review, open_review
from backend.services.identity_states import set_identity_state
from backend.services.key_changes import activate_waiting_keys
from backend.services.persons import birth_of

LEAST_FRAMES, MOST_FRAMES = 24, 40
OTHER_WAYS = ("window", "live_video", "attestation")
# Nobody photographs a document more often. A worker takes up to a second for a look, of which nothing is written.
_LOOKS = Pace(6, timedelta(minutes=1))


@dataclass(frozen=True)
class ChallengeView:
    """A movement challenge: what to do, in which order, until when. `nonce` comes back with the frames."""

    id: str
    nonce: str
    actions: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True)
class ReasonText:
    """One reason in both languages, with a tip."""

    code: str
    zh: str
    en: str
    tip_zh: str
    tip_en: str


@dataclass(frozen=True)
class DocumentLook:
    """Whether a picture of a document can be compared, and if not, why it must be taken again."""

    usable: bool
    reasons: tuple[ReasonText, ...]


@dataclass(frozen=True)
class IdentityOutcome:
    """What came of a check: decision, reasons, what is left to try, and the other ways."""

    decision: str
    reasons: tuple[ReasonText, ...]
    bucket: str | None
    tries_left: int
    state: str
    case_reference: str | None
    other_ways: tuple[str, ...]


@dataclass(frozen=True)
class IdentityProgress:
    """Where the identity stands. `consent`: None means not asked yet."""

    state: str
    consent: bool | None
    tries_left: int
    case_reference: str | None
    case_due_at: datetime | None
    face_available: bool
    face_allowed: bool
    network_identity_available: bool
    age_band: str | None


def look_at_document(world: World, *, account_id: str, document: bytes) -> DocumentLook:
    """Judge the document's picture alone, before anybody records themselves; costs no try, and nothing of it is kept.

    Raises Refused as start_challenge, and rate, face.busy, face.unavailable: then the check judges it as well.
    """
    with reading() as session:  # closed before the slow look
        _person_with_tries(world, session, account_id)
    seconds = _LOOKS.count(account_id, world.clock.now())
    if seconds:
        raise Refused("rate", seconds=seconds)
    try:
        faults = world.faces.look_at_document(document, _policy(world))
    except FaceBusy as error:
        raise Refused("face.busy", seconds=error.retry_after_seconds) from None
    except FaceUnavailable:
        raise Refused("face.unavailable") from None
    return DocumentLook(not faults, tuple(_reason_text(code) for code in faults))


def start_challenge(world: World, *, account_id: str, session_id: str, document_sha256: str) -> ChallengeView:
    """Choose an ordered challenge for this session, person and document picture; 60 s, single use.

    Raises Refused consent.missing (FACE-6), consent.under_14, face.tries, person.missing.
    """
    try:
        document_hash = bytes.fromhex(document_sha256)
    except ValueError:
        document_hash = b""
    if len(document_hash) != 32:
        raise Refused("input.wrong_type", "document_sha256", expected="SHA-256, 64 hex")
    with transaction() as session:
        person = _person_with_tries(world, session, account_id)
        now, nonce = world.clock.now(), secrets.token_urlsafe(16)
        row = IdentityChallenge(
            id=new_id(),
            account_id=account_id,
            session_id=session_id,
            person_id=person.id,
            nonce_hash=sha256(nonce.encode()).digest(),
            actions=list(choose_actions(SystemRandom())),
            document_hash=document_hash,
            created_at=now,
            expires_at=now + world.house.challenge_life,
        )
        session.add(row)
        return ChallengeView(row.id, nonce, tuple(row.actions), row.expires_at)


def check_face(
    world: World,
    *,
    account_id: str,
    session_id: str,
    challenge_id: str,
    nonce: str,
    document: bytes,
    frames: Sequence[Frame],
) -> IdentityOutcome:
    """Compare document and frames under the challenge and record the outcome.

    Raises Refused challenge.*, frames.count, face.busy, face.unavailable; nothing is kept of a refused attempt but that
    its challenge is used up (a busy engine gives it back).
    """
    if not LEAST_FRAMES <= len(frames) <= MOST_FRAMES:
        raise Refused("frames.count", "frames", least=LEAST_FRAMES, most=MOST_FRAMES)
    # Its own write unit, committed before the slow comparison: a replayed challenge finds it used.
    challenge, now = _use_challenge(world, account_id, session_id, challenge_id, nonce, document)
    policy = _policy(world)
    try:
        verdict = world.faces.verify(document, frames, challenge, policy, now)
    except FaceBusy as error:
        _give_back(challenge_id)
        raise Refused("face.busy", seconds=error.retry_after_seconds) from None
    except FaceUnavailable:
        raise Refused("face.unavailable") from None
    return _record(world, account_id, challenge_id, verdict, policy)


def identity_progress(world: World, *, account_id: str) -> IdentityProgress:
    """Where the account's identity stands, for the task list."""
    with reading() as session:
        account = session.get_one(Account, account_id)
        person = session.get(Person, account.person_id) if account.person_id else None
        last = find_last(session, account_id, "face_check")
        case = find_review(session, person.id) if person else None
        band = age_band(birth_of(world, session, person), world.clock.today()) if person else None
        return IdentityProgress(
            state=person.identity_state if person else "none",
            consent=None if last is None or last.withdrawn_at is not None else last.given,
            tries_left=_tries_left(world, session, person.id) if person else world.house.face_tries_before_person,
            case_reference=case.reference if case else None,
            case_due_at=case.due_at if case else None,
            face_available=world.faces.is_ready(),
            face_allowed=band not in (None, "under_14"),
            network_identity_available=world.network_identity is not None,
            age_band=band,
        )


def _checkable_person(world: World, session: Session, account_id: str) -> Person:
    account = session.get_one(Account, account_id)
    if account.person_id is None:
        raise Refused("person.missing")
    person = session.get_one(Person, account.person_id)
    if age_band(birth_of(world, session, person), world.clock.today()) == "under_14":
        raise Refused("consent.under_14")
    if not is_given(session, account_id, "face_check"):
        raise Refused("consent.missing")
    return person


def _person_with_tries(world: World, session: Session, account_id: str) -> Person:
    person = _checkable_person(world, session, account_id)
    if _tries_left(world, session, person.id) <= 0:
        raise Refused("face.tries")
    return person


def _policy(world: World) -> FacePolicy:
    return FacePolicy(match_at_most=world.house.face_match_at_most, review_at_most=world.house.face_review_at_most)


def _use_challenge(
    world: World, account_id: str, session_id: str, challenge_id: str, nonce: str, document: bytes
) -> tuple[Challenge, datetime]:
    """The challenge, from now on used, and the moment that counts as the arrival of its pictures."""
    with transaction() as session:
        now = world.clock.now()
        row = session.get(IdentityChallenge, challenge_id, with_for_update=True)
        if row is None or row.account_id != account_id:
            raise Refused("not_found", "challenge_id")
        if row.used_at is not None:
            raise Refused("challenge.used", "challenge_id")
        challenge = Challenge(nonce, tuple(row.actions), row.expires_at)
        if not challenge.is_open(now):
            raise Refused("challenge.expired", "challenge_id")
        person = _checkable_person(world, session, account_id)
        fits = (
            row.session_id == session_id
            and row.person_id == person.id
            and hmac.compare_digest(row.nonce_hash, sha256(nonce.encode()).digest())
            and hmac.compare_digest(row.document_hash, sha256(document).digest())
        )
        if not fits:
            raise Refused("challenge.other", "challenge_id")
        row.used_at = now
        return challenge, now


def _give_back(challenge_id: str) -> None:
    with transaction() as session:
        session.get_one(IdentityChallenge, challenge_id).used_at = None


def _record(
    world: World, account_id: str, challenge_id: str, verdict: FaceVerdict, policy: FacePolicy
) -> IdentityOutcome:
    with transaction() as session:
        challenge = session.get_one(IdentityChallenge, challenge_id)
        person = session.get_one(Person, challenge.person_id)
        consent = find_last(session, account_id, "face_check")
        session.add(
            IdentityCheck(
                id=new_id(),
                person_id=person.id,
                challenge_id=challenge_id,
                consent_id=consent.id if consent else None,
                method="face",
                provider="dlib",
                decision=verdict.decision,
                outcome={"match": "pass", "review": "manual"}.get(verdict.decision, "fail"),
                reasons=list(verdict.reasons),
                score_bucket=_bucket(verdict.distance, policy),
                pipeline_version=verdict.pipeline_version,
                checked_at=world.clock.now(),
            )
        )
        write_leaf(
            world,
            session,
            Actor("resident", account_id),
            "identity_face",
            subject_id=person.id,
            decision=verdict.decision,
        )
        session.flush()
        left = _tries_left(world, session, person.id)
        case = _follow_up(world, session, person, verdict.decision, left)
        return IdentityOutcome(
            decision=verdict.decision,
            reasons=tuple(_reason_text(code) for code in verdict.reasons),
            bucket=_bucket(verdict.distance, policy),
            tries_left=left,
            state=person.identity_state,
            case_reference=case.reference if case else None,
            other_ways=() if verdict.decision == "match" else OTHER_WAYS,
        )


def _follow_up(world: World, session: Session, person: Person, decision: str, left: int) -> Case | None:
    if decision == "match":
        set_identity_state(world, session, person, "verified", passed=True)
        close_review(world, session, person.id, SYSTEM)
        activate_waiting_keys(world, session, person.id)
        return None
    if decision == "review" or (decision == "no_match" and left <= 0):
        return open_review(world, session, person.id, "rule", {"way": "face", "decision": decision})
    return find_review(session, person.id)


def _tries_left(world: World, session: Session, person_id: str) -> int:
    """Tries before a person takes over; a picture that could not be used does not count. Counted over a day."""
    since = world.clock.now() - timedelta(days=1)
    used = session.scalar(
        select(func.count()).where(
            IdentityCheck.person_id == person_id,
            IdentityCheck.method == "face",
            IdentityCheck.decision.in_(("no_match", "review")),
            IdentityCheck.checked_at > since,
        )
    )
    return max(0, world.house.face_tries_before_person - (used or 0))


def _bucket(distance: float | None, policy: FacePolicy) -> str | None:
    if distance is None:
        return None
    if distance <= policy.match_at_most:
        return "near"
    return "middle" if distance <= policy.review_at_most else "far"


def _reason_text(code: str) -> ReasonText:
    row = FACE_REASONS[code]
    return ReasonText(code, row.zh, row.en, row.tip_zh, row.tip_en)
