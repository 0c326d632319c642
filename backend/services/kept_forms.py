"""A form that was sent too late, so that what was typed is not lost: to a locked screen, after the task or the sign-in.

It goes back to the browser sealed. An officer's lies under the officer's data key and is bound to the session; a
resident's lies under the account's, whose next sign-in opens it. Nothing of it can be read in between, nobody else can
open it, and nothing is stored here that would have to be forgotten.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.officers import OfficerSession
from backend.services import vault

LARGEST_BYTES = 100_000  # the longest text a form takes has some thousand characters
_PLACE, _PLACE_OF_ACCOUNT = "officer_sessions.kept_form", "accounts.kept_form"

Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class KeptForm:
    """Where a form was to go, the page to go back to, and what was in it."""

    path: str
    back: str
    fields: tuple[tuple[str, str], ...]


def keep_form(world: World, *, session_id: str, path: str, back: str, fields: Fields) -> str | None:
    """Seal a form for the session it was sent in; None when there is nothing to keep or too much."""
    with reading() as session:
        row = session.get_one(OfficerSession, session_id)
        return _seal(world, session, (row.officer_id, _PLACE, row.id), KeptForm(path, back, tuple(fields)))


def open_kept_form(world: World, *, session_id: str, kept: str) -> KeptForm:
    """Open what `keep_form` has sealed in this session. Raises Refused form.gone for anything else."""
    with reading() as session:
        row = session.get_one(OfficerSession, session_id)
        return _open(world, session, (row.officer_id, _PLACE, row.id), kept)


def keep_form_of_account(world: World, *, account_id: str, path: str, back: str, fields: Fields) -> str | None:
    """Seal a form for the account under whose sign-in it was written; None as `keep_form`, and when it was erased."""
    try:
        with reading() as session:
            place = (account_id, _PLACE_OF_ACCOUNT, account_id)
            return _seal(world, session, place, KeptForm(path, back, tuple(fields)))
    except KeyRingError:
        return None


def open_form_of_account(world: World, *, account_id: str, kept: str) -> KeptForm:
    """Open what `keep_form_of_account` has sealed for this account. Raises Refused form.gone for anything else."""
    with reading() as session:
        return _open(world, session, (account_id, _PLACE_OF_ACCOUNT, account_id), kept)


def _seal(world: World, session: Session, place: tuple[str, str, str], form: KeptForm) -> str | None:
    text = json.dumps([form.path, form.back, list(form.fields)], ensure_ascii=False)
    if not form.fields or len(text.encode()) > LARGEST_BYTES:
        return None
    subject_id, column, row_id = place
    return urlsafe_b64encode(vault.seal(world, session, subject_id, column, row_id, text)).decode()


def _open(world: World, session: Session, place: tuple[str, str, str], kept: str) -> KeptForm:
    subject_id, column, row_id = place
    try:
        sealed = urlsafe_b64decode(kept.encode())
        path, back, fields = json.loads(vault.unseal(world, session, subject_id, column, row_id, sealed))
    except (KeyRingError, ValueError):
        raise Refused("form.gone") from None
    return KeptForm(path, back, tuple((name, value) for name, value in fields))
