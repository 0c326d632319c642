"""A form that was sent to a locked screen, or after its task was over, so that what was typed is not lost.

It goes back to the browser sealed under the officer's data key and bound to the session: nothing of it can be read
while the screen is locked, nobody else can open it, and nothing is stored here that would have to be forgotten.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.officers import OfficerSession
from backend.services import vault

LARGEST_BYTES = 100_000  # the longest text a form takes has some thousand characters
_PLACE = "officer_sessions.kept_form"


@dataclass(frozen=True)
class KeptForm:
    """Where a form was to go, the page to go back to, and what was in it."""

    path: str
    back: str
    fields: tuple[tuple[str, str], ...]


def keep_form(
    world: World, *, session_id: str, path: str, back: str, fields: Sequence[tuple[str, str]]
) -> str | None:
    """Seal a form for the session it was sent in; None when there is nothing to keep or too much."""
    text = json.dumps([path, back, list(fields)], ensure_ascii=False)
    if not fields or len(text.encode()) > LARGEST_BYTES:
        return None
    with reading() as session:
        row = session.get_one(OfficerSession, session_id)
        return urlsafe_b64encode(vault.seal(world, session, row.officer_id, _PLACE, row.id, text)).decode()


def open_kept_form(world: World, *, session_id: str, kept: str) -> KeptForm:
    """Open what `keep_form` has sealed in this session. Raises Refused form.gone for anything else."""
    try:
        with reading() as session:
            row = session.get_one(OfficerSession, session_id)
            sealed = urlsafe_b64decode(kept.encode())
            path, back, fields = json.loads(vault.unseal(world, session, row.officer_id, _PLACE, row.id, sealed))
    except (KeyRingError, ValueError):
        raise Refused("form.gone") from None
    return KeptForm(path, back, tuple((name, value) for name, value in fields))
