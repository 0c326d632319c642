"""Whether a name belongs to a number is asked by staff under a purpose, counted, and written down before the answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.identity_authority import AuthorityAnswer
from backend.models.audit import AuditLeaf
from backend.seeding import sample_number
from backend.services.access_records import my_access_records
from backend.services.households import add_co_resident
from backend.services.staff_notices import list_unread
from backend.services.window_visits import open_visit
from tests.services import staff, stories

pytestmark = pytest.mark.usefixtures("core")
MOST = 3


@dataclass
class Asked:
    """An authority that knows one pair, and remembers how often it was asked."""

    times: int = 0
    pair: tuple[str, str] = field(default=(stories.TENANT_NUMBER, "周来福"))

    def check(self, id_type: str, id_number: str, name: str) -> AuthorityAnswer:
        """Matched for the one pair alone."""
        self.times += 1
        return AuthorityAnswer(matched=(id_number, name) == self.pair, reference="test")


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def capped(world: Any, asked: Asked) -> Any:
    """The world with that authority, and a day's cap that a test can reach."""
    house = replace(world.house, person_reads_by_role={"window_clerk": MOST})
    return replace(world, authority=asked, house=house)


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def numbers(count: int) -> list[str]:
    return [sample_number("341822", date(1950, 1, 1) + timedelta(days=n)) for n in range(count)]


def leaves() -> list[tuple[str, str | None, str | None]]:
    db.session.rollback()
    rows = db.session.scalars(select(AuditLeaf).where(AuditLeaf.actor_kind == "officer").order_by(AuditLeaf.id))
    return [(row.action, row.decision, row.subject_id) for row in rows if row.action in ("document_asked", "refused")]


def try_on_paper(world: Any, session_id: str, number: str, name: str = "周来福") -> None:
    open_visit(world, session_id=session_id, channel="paper", document_seen=False, name=name, id_type="111",
               id_number=number)  # fmt: skip


def test_a_name_is_not_tried_on_number_after_number(capped: Any, asked: Asked) -> None:
    supervisor = staff.make_officer(capped, "supervisor")
    clerk = staff.make_session(capped, "window_clerk", purpose="help_request")
    tried = numbers(MOST + 2)
    for number in tried[:MOST]:
        with refused("person.unmatched"):
            try_on_paper(capped, clerk, number)
    for number in tried[MOST:]:
        with refused("reads.cap"):
            try_on_paper(capped, clerk, number)
    assert asked.times == MOST, "nobody is asked beyond the day's cap"
    assert leaves() == [("document_asked", "allowed", None)] * MOST + [("refused", "reads.cap", None)] * 2
    assert [line.kind for line in list_unread(supervisor.id)] == ["reads_cap"]


def test_a_wrong_name_for_a_number_that_is_held_is_read_by_its_person(
    world: Any, capped: Any, asked: Asked
) -> None:
    story = stories.make_active(world)
    clerk, before = staff.make_session(capped, "window_clerk", purpose="help_request"), asked.times
    for name in ("周来", "周来贵"):
        with refused("person.unmatched"):
            open_visit(capped, session_id=clerk, channel="window", document_seen=True, name=name, id_type="111",
                       id_number=stories.TENANT_NUMBER)  # fmt: skip
    assert asked.times == before, "what is known here is not asked elsewhere"
    looks = my_access_records(capped, account_id=story.tenant).items
    assert [(look.action, look.decision) for look in looks[:2]] == [("document_asked", "unmatched")] * 2
    assert looks[0].fields == (), "nothing was shown"
    assert looks[0].purpose == "help_request" and looks[0].badge


def test_somebody_entered_for_another_at_the_window_is_asked_about_as_openly(
    world: Any, capped: Any, asked: Asked
) -> None:
    story = stories.make_active(world)
    clerk = staff.make_session(capped, "window_clerk", purpose="help_request")
    visit = open_visit(capped, session_id=clerk, channel="window", document_seen=True, name="周来福", id_type="111",
                       id_number=stories.TENANT_NUMBER)  # fmt: skip

    def enter(number: str) -> None:
        add_co_resident(
            capped, account_id=visit.account_id, registration_id=story.registration_id, relation="spouse",
            name="王小花", id_type="111", id_number=number, move_in_on=capped.clock.today(), told=True,
            hukou_division="341822", desk=visit.desk(clerk),
        )  # fmt: skip

    tried, before = numbers(MOST), asked.times
    for number in tried[: MOST - 1]:
        with refused("person.unmatched"):
            enter(number)
    with refused("reads.cap"):
        enter(tried[-1])
    assert asked.times - before == MOST - 1
    own, *others = leaves()
    assert own[:2] == ("document_asked", "allowed") and own[2] == visit.person_id
    assert others == [("document_asked", "allowed", None)] * (MOST - 1) + [("refused", "reads.cap", None)]


def test_nobody_is_asked_about_in_a_visit_that_is_over_or_without_a_purpose(
    world: Any, capped: Any, asked: Asked
) -> None:
    story = stories.make_active(world)
    clerk = staff.make_session(capped, "window_clerk", purpose="help_request")
    visit = open_visit(capped, session_id=clerk, channel="window", document_seen=True, name="周来福", id_type="111",
                       id_number=stories.TENANT_NUMBER)  # fmt: skip
    before = asked.times
    capped.clock.move(timedelta(hours=3))
    later = staff.make_session(capped, "officer", purpose="help_request")
    for session_id, code in ((later, "visit.over"), (staff.make_session(capped, "supervisor"), "purpose.missing")):
        with refused(code):
            add_co_resident(
                capped, account_id=visit.account_id, registration_id=story.registration_id, relation="spouse",
                name="王小花", id_type="111", id_number=numbers(1)[0], move_in_on=capped.clock.today(), told=True,
                hukou_division="341822", desk=visit.desk(session_id),
            )  # fmt: skip
    assert asked.times == before
