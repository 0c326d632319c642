"""Which unit a row of a list means: by its public number, or by its address in any of the usual spellings."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from backend.domain.refusals import Refusal
from backend.domain.tenancy_rows import UnitWords, spellings_of
from backend.models.dwellings import Dwelling
from backend.models.units import Unit


class UnitFinder:
    """Finds units among those that whoever imports may speak of; any other one does not exist for them."""

    def __init__(self, units: Iterable[tuple[Unit, Dwelling]], not_found: str, wanted: Collection[UnitWords]) -> None:
        """`wanted` is all that will be asked for; a county has too many spellings to keep the others."""
        numbers, places = {words.number for words in wanted}, {words.place for words in wanted}
        self._not_found = not_found
        self._by_number: dict[str, Unit] = {}
        self._by_place: dict[str, dict[str, Unit]] = {}
        for unit, home in units:
            if unit.public_number.upper() in numbers:
                self._by_number[unit.public_number.upper()] = unit
            parts = (home.province, home.city, home.county, home.street, home.village, home.road, home.door_no)
            for words in spellings_of((*parts, home.building), unit.label):
                if words in places:
                    self._by_place.setdefault(words, {})[unit.id] = unit

    def find(self, words: UnitWords) -> Unit | Refusal:
        """The unit, or why it is not found; a number and an address in one row must agree."""
        named = self._by_number.get(words.number) if words.number else None
        if words.number:
            if named is None or (words.place and not self._fits(named, words.place)):
                return Refusal(self._not_found, "unit_number")
            return named
        found = list(self._by_place.get(words.place, {}).values())
        if len(found) != 1:
            return Refusal("import.unit_several" if found else self._not_found, "address")
        return found[0]

    def _fits(self, unit: Unit, place: str) -> bool:
        """Whether the words beside a number mean the same unit; a room's label alone says too little to contradict."""
        candidates = self._by_place.get(place)
        return candidates is None or unit.id in candidates
