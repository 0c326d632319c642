"""How many of a village are of an age band, counted once a day by the worker: dates of birth are sealed one by one.

What is kept are numbers of whole villages; no row says anything of a person.
"""

from __future__ import annotations

from collections import Counter
from datetime import date

import structlog
from sqlalchemy import delete, select, union
from sqlalchemy.orm import Session

from backend.db import reading, transaction
from backend.domain.persons import AGE_BANDS, statistics_band
from backend.gateways.key_ring import KeyRingError
from backend.gateways.world import World
from backend.models.data_keys import DataKey
from backend.models.dwellings import Dwelling
from backend.models.persons import Person
from backend.models.registrations import AgeCount, Registration
from backend.models.units import Unit
from backend.queries.statistics import lives_there
from backend.services import vault

log = structlog.get_logger(__name__)


def count_ages(world: World) -> int:
    """Count one village that was not counted today; answers how many were, 0 when all are."""
    today = world.clock.today()
    with reading() as session:
        division = _next_village(session, today)
        if division is None:
            return 0
        counted = _count(world, session, division, today)
    with transaction() as session:
        session.execute(delete(AgeCount).where(AgeCount.division == division))
        session.add_all(
            AgeCount(division=division, band=band, people=counted[band], counted_on=today) for band in AGE_BANDS
        )
    return 1


def _next_village(session: Session, today: date) -> str | None:
    lived_in = (
        select(Dwelling.division)
        .join(Unit, Unit.dwelling_id == Dwelling.id)
        .join(Registration, Registration.unit_id == Unit.id)
        .where(lives_there())
    )
    known = union(lived_in, select(AgeCount.division)).subquery()
    done = select(AgeCount.division).where(AgeCount.counted_on == today)
    return session.scalar(
        select(known.c.division).where(known.c.division.not_in(done)).order_by(known.c.division).limit(1)
    )


def _count(world: World, session: Session, division: str, today: date) -> Counter[str]:
    """Everybody who lives there once, also who has two homes in the village."""
    rows = session.execute(
        select(Person.id, Person.birth_on_sealed, DataKey.kek_id, DataKey.wrapped)
        .join(DataKey, DataKey.subject_id == Person.id)
        .where(
            Person.id.in_(
                select(Registration.person_id)
                .join(Unit, Unit.id == Registration.unit_id)
                .join(Dwelling, Dwelling.id == Unit.dwelling_id)
                .where(Dwelling.division == division, lives_there())
            )
        )
    )
    bands: Counter[str] = Counter()
    for person_id, sealed, kek_id, wrapped in rows:
        try:
            text = vault.unseal_with(world, kek_id, wrapped, person_id, "persons.birth_on", person_id, sealed)
        except KeyRingError:  # one who cannot be read is left out; the village is counted all the same
            log.error("birth_unreadable", person_id=person_id)
            continue
        bands[statistics_band(date.fromisoformat(text), today)] += 1
    return bands
