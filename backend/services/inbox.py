"""The in-app inbox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, case, func, select, update
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.ids import is_id, new_id
from backend.domain.notice_kinds import KINDS, TOPICS, is_silenced
from backend.domain.notices import INBOX
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.notices import Notice
from backend.services.letter_rows import NewLetter, write_letter

MANY = 3  # more than so many of one kind on one day are one line


@dataclass(frozen=True)
class NoticeView:
    """One message, in both languages; `topic` and `opens` as in domain.notice_kinds."""

    id: str
    kind: str
    topic: str
    opens: str
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
    now = world.clock.now()
    notice = Notice(id=new_id(), account_id=account_id, kind=kind, once=marker, rule=rule, params=params, at=now,
                    read_at=now if is_silenced(kind, account.silenced) else None)  # fmt: skip
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


@dataclass(frozen=True)
class InboxLine:
    """One line of the inbox: a message, or many of one kind and day told by their newest. `unread` of them are."""

    notice: NoticeView
    count: int
    unread: int
    day: date


def list_lines(
    world: World, *, account_id: str, before: str | None = None, limit: int = 50
) -> tuple[InboxLine, ...]:
    """The newest lines of an inbox, or those behind the line of message `before`; many alike of a day are one.

    Raises Refused not_found.
    """
    with reading() as session:
        lines = select(*_LINE).where(Notice.account_id == account_id).subquery()
        chosen = select(lines).where((lines.c.together <= MANY) | (lines.c.place == 1))
        if before is not None:
            seen = _own(session, account_id, before, "before")
            chosen = chosen.where((lines.c.at < seen.at) | ((lines.c.at == seen.at) & (lines.c.id < seen.id)))
        rows = session.execute(chosen.order_by(lines.c.at.desc(), lines.c.id.desc()).limit(limit)).all()
        notices = {row.id: row for row in session.scalars(select(Notice).where(Notice.id.in_([r.id for r in rows])))}
        return tuple(_line(notices[row.id], row.together, row.unread) for row in rows)


def _line(row: Notice, together: int, unread: int) -> InboxLine:
    many = together > MANY
    own = 0 if row.read_at else 1
    return InboxLine(_view(row), together if many else 1, unread if many else own, row.day)


def count_unread(world: World, *, account_id: str) -> int:
    """How many messages an account has not read."""
    with reading() as session:
        unread = select(func.count()).where(Notice.account_id == account_id, Notice.read_at.is_(None))
        return session.scalar(unread) or 0


def list_notices(
    world: World,
    *,
    account_id: str,
    before: str | None = None,
    limit: int = 50,
    kind: str | None = None,
    day: date | None = None,
) -> tuple[NoticeView, ...]:
    """The newest messages of an account (of one kind, of one day in China), or those that stand behind `before`.

    Raises Refused not_found.
    """
    with reading() as session:
        statement = select(Notice).where(Notice.account_id == account_id, *_which(kind, day))
        if before is not None:
            seen = _own(session, account_id, before, "before")
            older = (Notice.at == seen.at) & (Notice.id < seen.id)
            statement = statement.where((Notice.at < seen.at) | older)
        rows = session.scalars(statement.order_by(Notice.at.desc(), Notice.id.desc()).limit(limit))
        return tuple(_view(row) for row in rows)


def mark_read(world: World, *, account_id: str, notice_id: str) -> NoticeView:
    """Mark one message as read; repeated calls change nothing. Raises Refused not_found."""
    with transaction() as session:
        notice = _own(session, account_id, notice_id)
        notice.read_at = notice.read_at or world.clock.now()
        return _view(notice)


def mark_all_read(world: World, *, account_id: str, kind: str | None = None, day: date | None = None) -> int:
    """Mark all messages (of one kind, of one day in China) as read; answers how many were not."""
    with transaction() as session:
        marked = (
            update(Notice)
            .where(Notice.account_id == account_id, Notice.read_at.is_(None), *_which(kind, day))
            .values(read_at=world.clock.now())
        )
        return int(cast("CursorResult[Any]", session.execute(marked)).rowcount)


@dataclass(frozen=True)
class TopicView:
    """A topic of messages, whether it may be silenced, and whether it is."""

    code: str
    zh: str
    en: str
    hint_zh: str
    hint_en: str
    may_be_silenced: bool
    silenced: bool


def list_topics(world: World, *, account_id: str) -> tuple[TopicView, ...]:
    """What an account is told of, topic by topic."""
    with reading() as session:
        silenced = session.get_one(Account, account_id).silenced
        return tuple(
            TopicView(code, topic.zh, topic.en, topic.hint_zh, topic.hint_en, topic.may_be_silenced, code in silenced)
            for code, topic in TOPICS.items()
        )


def silence_topics(world: World, *, account_id: str, topics: Collection[str]) -> tuple[TopicView, ...]:
    """Silence exactly these topics from now on. Raises Refused notices.duty for one that must be told."""
    unknown = [code for code in topics if code not in TOPICS]
    if unknown:
        raise Refused("input.not_one_of", "topics", allowed=tuple(TOPICS))
    if any(not TOPICS[code].may_be_silenced for code in topics):
        raise Refused("notices.duty", "topics")
    with transaction() as session:
        session.get_one(Account, account_id).silenced = sorted(set(topics))
    return list_topics(world, account_id=account_id)


def _own(session: Session, account_id: str, notice_id: str, field: str | None = None) -> Notice:
    notice = session.get(Notice, notice_id) if is_id(notice_id) else None
    if notice is None or notice.account_id != account_id:
        raise Refused("not_found", field)
    return notice


def _which(kind: str | None, day: date | None) -> list[ColumnElement[bool]]:
    which: list[ColumnElement[bool]] = [] if kind is None else [Notice.kind == kind]
    if day is not None:
        which.append(Notice.day == day)
    return which


_BY_KIND_AND_DAY = (Notice.kind, Notice.day)
_LINE = (
    Notice.id,
    Notice.at,
    func.count().over(partition_by=_BY_KIND_AND_DAY).label("together"),
    func.sum(case((Notice.read_at.is_(None), 1), else_=0)).over(partition_by=_BY_KIND_AND_DAY).label("unread"),
    func.row_number()
    .over(partition_by=_BY_KIND_AND_DAY, order_by=(Notice.at.desc(), Notice.id.desc()))
    .label("place"),
)


def _view(row: Notice) -> NoticeView:
    text = INBOX[row.kind]
    params = defaultdict(str, row.params)  # a text that has grown a blank still tells what was said before
    filled = {name: getattr(text, name).format_map(params) for name in ("text_zh", "text_en")}
    kind = KINDS[row.kind]
    return NoticeView(
        row.id, row.kind, kind.topic, kind.opens, row.rule, dict(row.params), row.at, row.read_at, text.title_zh,
        text.title_en, **filled,
    )  # fmt: skip
