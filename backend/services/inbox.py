"""The in-app inbox."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import is_id, new_id
from backend.domain.notices import INBOX
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.notices import Notice
from backend.services.letter_rows import NewLetter, write_letter


@dataclass(frozen=True)
class NoticeView:
    """One message, in both languages."""

    id: str
    kind: str
    rule: str | None
    params: dict[str, Any]
    at: datetime
    read_at: datetime | None
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


def tell_account(
    world: World, session: Session, account_id: str, kind: str, *, once: str, rule: str | None = None, **params: Any
) -> bool:
    """Put a message into an inbox inside the present write unit; False when `once` was told already."""
    marker = f"{kind}:{once}"[:120]
    if session.scalar(select(Notice.id).where(Notice.once == marker)) is not None:
        return False
    account = session.get_one(Account, account_id)
    if account.phone_token is None and account.person_id is not None:
        write_letter(world, session, NewLetter(account.person_id, kind, marker, rule, params))
    notice = Notice(
        id=new_id(), account_id=account_id, kind=kind, once=marker, rule=rule, params=params, at=world.clock.now()
    )
    session.add(notice)
    session.flush()
    return True


def tell_person(
    world: World, session: Session, person_id: str, kind: str, *, once: str, rule: str | None = None, **params: Any
) -> bool:
    """The same for the account of a person; False when the person has none, and is written to."""
    account_id = session.scalar(select(Account.id).where(Account.person_id == person_id))
    if account_id is None:
        write_letter(world, session, NewLetter(person_id, kind, f"{kind}:{once}"[:120], rule, params))
        return False
    return tell_account(world, session, account_id, kind, once=once, rule=rule, **params)


def list_notices(
    world: World, *, account_id: str, before: str | None = None, limit: int = 50
) -> tuple[NoticeView, ...]:
    """The newest messages of an account, or those that stand behind the message `before`. Raises Refused not_found."""
    with reading() as session:
        statement = select(Notice).where(Notice.account_id == account_id)
        if before is not None:
            seen = session.get(Notice, before) if is_id(before) else None
            if seen is None or seen.account_id != account_id:
                raise Refused("not_found", "before")
            older = (Notice.at == seen.at) & (Notice.id < seen.id)
            statement = statement.where((Notice.at < seen.at) | older)
        rows = session.scalars(statement.order_by(Notice.at.desc(), Notice.id.desc()).limit(limit))
        return tuple(_view(row) for row in rows)


def mark_read(world: World, *, account_id: str, notice_id: str) -> None:
    """Mark one message as read; repeated calls change nothing."""
    with transaction() as session:
        notice = session.get(Notice, notice_id)
        if notice is None or notice.account_id != account_id:
            raise Refused("not_found")
        notice.read_at = notice.read_at or world.clock.now()


def _view(row: Notice) -> NoticeView:
    text = INBOX[row.kind]
    params = defaultdict(str, row.params)  # a text that has grown a blank still tells what was said before
    filled = {name: getattr(text, name).format_map(params) for name in ("text_zh", "text_en")}
    return NoticeView(
        row.id, row.kind, row.rule, dict(row.params), row.at, row.read_at, text.title_zh, text.title_en, **filled
    )
