"""Name and document corrected at the window, where somebody sees the person and the document."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from backend.db import reading
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.accounts import Account
from backend.models.persons import Person
from backend.services.document_asking import ask_at
from backend.services.document_states import record_answer
from backend.services.hands import Desk, acting_for
from backend.services.identity_states import settle_identity
from backend.services.inbox import tell_person
from backend.services.persons import (
    Entry,
    birth_of,
    check_entry,
    is_entry,
    number_token,
    put_identity,
)

CORRECTED = ("name", "id_type", "id_number")


def correct_identity(
    world: World,
    *,
    account_id: str,
    name: str,
    id_type: str,
    id_number: str,
    birth_on: date | None = None,
    sex: str | None = None,
    hukou_division: str | None = None,
    nationality: str | None = None,
    saw_document: bool = False,
    desk: Desk,
) -> None:
    """Put what the document says in the place of a name or number that was matched or bound before.

    The person stands there with the original; the earlier entry is kept sealed, every declared residence goes out
    again with its time, and the person is told. The same again changes nothing. Raises Refused visit.seen, every
    faulty field, person.unmatched (3002), document.taken, reads.cap, and as `acting_for`.
    """
    if not saw_document:
        raise Refused("visit.seen", "saw_document")
    entered = check_entry(world, id_type, id_number, name, birth_on, sex, hukou_division, nationality)
    with reading() as session:
        corrects = session.get_one(Account, account_id).person_id
    matched = ask_at(world, entered, desk, corrects=corrects)  # outside the write unit: a call to another office
    if matched is False:
        raise Refused("person.unmatched", "name")
    with acting_for(world, account_id, desk, "correct_identity", fields=CORRECTED) as (session, hand):
        account = session.get_one(Account, account_id)
        person = session.get_one(Person, account.person_id, with_for_update=True)
        present = (person.hukou_division, person.nationality)
        if _stands(world, session, person, entered) and present == (
            hukou_division or present[0], entered.nationality if nationality else present[1]
        ):  # fmt: skip
            return
        put_identity(
            world, session, person, entered, actor=hand.actor, source=hand.source,
            hukou_division=hukou_division, nationality=nationality,
        )  # fmt: skip
        record_answer(world, session, person, matched)
        settle_identity(
            world, session, person.id, "verified", method="window", operator_id=hand.officer_id, actor=hand.actor
        )
        tell_person(
            world,
            session,
            person.id,
            "details_corrected",
            once=f"{person.id}:{person.version}",
            rule="PIPL-46",
            fields_zh="姓名和证件",
            fields_en="name and document",
        )


def _stands(world: World, session: Session, person: Person, entered: Entry) -> bool:
    """Whether everything that was entered is what stands there already."""
    same = is_entry(world, session, person, number_token(world, entered.document), entered.name)
    return same and (birth_of(world, session, person), person.sex) == (entered.birth_on, entered.sex)
