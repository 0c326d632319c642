"""A sheet: one form's answers, its faults, and the id that makes a double submit one record.

A view reads answers with `text`, `day`, `number`, `choice`; each notes what is wrong with its field. `check` raises all
faults together. Inside `with sheet.filling():` a refusal of a service lands on the sheet too, so that the page is shown
again with a summary on top, the same words at the field, and everything typed still there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from flask import request

from backend.domain.calendars import read_day
from backend.domain.ids import new_id
from backend.domain.refusals import Refusal, Refused
from backend.domain.whole_numbers import read_whole
from backend.web import STATUS

GOES_TO_THE_ERROR_PAGE = ("not_found", "unauthenticated")


@dataclass
class Sheet:
    """Answers and faults of one form; `labels` are the fields' words in the present language."""

    labels: Mapping[str, str]
    values: dict[str, str] = field(default_factory=dict)
    once: str = ""
    faults: list[Refusal] = field(default_factory=list)
    status: int = 200

    @classmethod
    def of_request(cls, labels: Mapping[str, str], **beginnings: object) -> Sheet:
        """The sheet as sent, or on a GET a blank one with its beginnings (None leaves a field empty)."""
        begun = {name: str(value) for name, value in beginnings.items() if value is not None}
        if request.method != "POST":
            return cls(labels, begun, new_id())
        sent = {name: value for name, value in request.form.items() if name != "csrf_token"}
        return cls(labels, {**begun, **sent}, sent.get("once") or new_id())

    def value(self, name: str) -> str:
        """What stands in a field now."""
        return self.values.get(name, "")

    def fault(self, name: str) -> Refusal | None:
        """The first fault of a field."""
        return next((fault for fault in self.faults if fault.field == name), None)

    @property
    def general_faults(self) -> list[Refusal]:
        """Faults of no field of this form."""
        return [fault for fault in self.faults if fault.field not in self.labels]

    def text(self, name: str) -> str:
        """A required text."""
        value = self.value(name).strip()
        if not value:
            self.faults.append(Refusal("input.missing", name))
        return value

    def optional(self, name: str) -> str | None:
        """A text that may be left out."""
        return self.value(name).strip() or None

    def day(self, name: str) -> date:
        """A required date; `date.min` stands in until `check` raises."""
        if not self.value(name).strip():
            self.faults.append(Refusal("input.missing", name))
            return date.min
        return self.optional_day(name) or date.min

    def optional_day(self, name: str) -> date | None:
        """A date that may be left out, written YYYY-MM-DD as browsers send it."""
        value = self.value(name).strip()
        if not value:
            return None
        found = read_day(value)
        if found is None:
            self.faults.append(Refusal("input.wrong_type", name, {"expected": "2026-11-23"}))
        return found

    def number(self, name: str) -> float:
        """A required number; 0 stands in until `check` raises."""
        value = self.text(name)
        try:
            return float(value) if value else 0.0
        except ValueError:
            self.faults.append(Refusal("input.wrong_type", name, {"expected": "12.5"}))
            return 0.0

    def whole_number(self, name: str) -> int:
        """A required whole number; 0 stands in until `check` raises."""
        value = self.text(name)
        number = read_whole(value)
        if value and number is None:
            self.faults.append(Refusal("input.wrong_type", name, {"expected": "2"}))
        return number or 0

    def chosen(self, name: str) -> str:
        """A required choice; without one the fault asks to choose, not to fill in."""
        value = self.value(name).strip()
        if not value:
            self.faults.append(Refusal("input.unchosen", name))
        return value

    def choice(self, name: str, allowed: Mapping[str, object] | tuple[str, ...]) -> str:
        """A required choice out of a table."""
        value = self.chosen(name)
        if value and value not in allowed:
            self.faults.append(Refusal("input.not_one_of", name, allowed=tuple(allowed)))
        return value

    def is_ticked(self, name: str) -> bool:
        """Whether a box is ticked."""
        return self.value(name) == "yes"

    def check(self) -> None:
        """Raise all faults noted so far."""
        if self.faults:
            faults, self.faults = self.faults, []
            raise Refused.of(faults)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Take refusals onto the sheet; what is not there, or needs a sign-in, goes to the error page."""
        try:
            yield
        except Refused as refused:
            kind = refused.refusal.reason.kind
            if kind in GOES_TO_THE_ERROR_PAGE and refused.refusal.field not in self.labels:
                raise
            self.faults.extend(refused.refusals)
            self.status = STATUS[kind]
