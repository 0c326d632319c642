"""Many declared registrations at once, as they stand after an outage: written in bulk, each of a person of its own."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import insert, update

from backend.db import transaction
from backend.domain.documents import Document
from backend.domain.ids import new_id
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.outbox import OutboxRow
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.seeding import sample_number
from backend.services.persons import make_person

FIRST_BIRTH = date(1945, 1, 1)
DAYS = 20_000  # of birth: the youngest are grown up
AREAS = ("341822", "342501", "360102", "411502", "420102")
AT_ONCE = 500
_PEOPLE = itertools.count()


def make_backlog(world: World, count: int, *, held_back: bool = False) -> list[str]:
    """Declared registrations with a row in the outbox each, oldest first; answers their ids.

    `held_back` rows are not due before `release`. Numbers differ by day of birth and area; a hundred thousand suffice.
    """
    unit_id = _make_unit(world)
    people = list(itertools.islice(_PEOPLE, count))
    made: list[str] = []
    for start in range(0, count, AT_ONCE):
        made += _make_some(world, unit_id, people[start : start + AT_ONCE], held_back=held_back)
    return made


def release(world: World) -> None:
    """Let everything that is held back become due, and wake the worker."""
    with transaction() as session:
        session.execute(update(OutboxRow).where(OutboxRow.done_at.is_(None)).values(available_at=world.clock.now()))
    world.wake_up.notify("registry")


def _make_unit(world: World) -> str:
    dwelling_id, unit_id = new_id(), new_id()
    with transaction() as session:
        session.execute(
            insert(Dwelling).values(
                id=dwelling_id, division="330522003900", division_version="test", province="浙江省", city="湖州市",
                county="长兴县", street="太湖街道", village="陈塘村", road="陈塘路", building="",
                door_no=f"{dwelling_id[-6:]}号", imported_at=world.clock.now(),
            )
        )  # fmt: skip
        session.execute(
            insert(Unit).values(
                id=unit_id, dwelling_id=dwelling_id, public_number=f"U-{unit_id[-8:].upper()}", label="101室",
                space_kind="bedroom", usable_area_m2=15, capacity=2, created_at=world.clock.now(),
            )
        )  # fmt: skip
    return unit_id


def _make_some(world: World, unit_id: str, people: Sequence[int], *, held_back: bool) -> list[str]:
    now = world.clock.now()
    due = now + timedelta(days=365) if held_back else now
    with transaction() as session:
        ids = []
        for place in people:
            born, area = FIRST_BIRTH + timedelta(days=place % DAYS), AREAS[place // DAYS % len(AREAS)]
            document = Document("111", sample_number(area, born), born, "female")
            person = make_person(world, session, "周来福", document, born, "female", "341822")
            ids.append((new_id(), person.id))
        session.flush()
        session.execute(
            insert(Registration),
            [{"id": record, "version": 2, "unit_id": unit_id, "person_id": person_id, "tenant_leg": "declared",
              "move_in_on": world.clock.today(), "declared_at": now, "declared_by": "self",
              "notice_version": "2026-11", "created_at": now, "updated_at": now} for record, person_id in ids],
        )  # fmt: skip
        session.execute(
            insert(OutboxRow),
            [{"destination": "registry", "aggregate_id": record, "kind": "UPSERT", "created_at": now,
              "payload": {"leg": "TENANT", "version": 2}, "available_at": due} for record, _ in ids],
        )  # fmt: skip
    return [record for record, _ in ids]
