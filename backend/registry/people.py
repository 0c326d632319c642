"""Stand-in for the population base: does this number belong to this name? Nothing else comes back, and nothing else is
known: numbers are held as SHA-256, and unknown ones match unless the registry is told to be strict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import Connection, delete, func, insert, select

from backend.registry.tables import people

NEVER_MATCHED = "不符测试"  # a name no number belongs to, so that the refusal can be tried by hand

# Made-up people; sequence 000 is never issued, so no living person has these numbers.
SAMPLE_PEOPLE: Mapping[str, str] = {
    "330522193102030004": "样本甲",
    "33052219310204000X": "样本乙",
}


def hash_number(number: str) -> str:
    """SHA-256 in hex of a document number: how the base looks people up."""
    return hashlib.sha256(number.encode()).hexdigest()


def fill_people(connection: Connection) -> None:
    """Put the sample people into an empty base."""
    if not connection.scalar(select(func.count()).select_from(people)):
        for number, name in SAMPLE_PEOPLE.items():
            add_person(connection, number, name)


def add_person(connection: Connection, number: str, name: str) -> None:
    """Make the base know a number."""
    connection.execute(delete(people).where(people.c.number_hash == hash_number(number)))
    connection.execute(insert(people).values(number_hash=hash_number(number), name=name))


def is_match(connection: Connection, number: str, name: str, *, strict: bool) -> bool:
    """Whether number and name belong together; an unknown number does unless `strict`."""
    if name == NEVER_MATCHED:
        return False
    known = connection.scalar(select(people.c.name).where(people.c.number_hash == hash_number(number)))
    return known == name if known is not None else not strict
