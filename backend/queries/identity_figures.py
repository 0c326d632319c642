"""How the identity step goes, in numbers: no person is named, and none can be found out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select

from backend.db import db
from backend.domain.suppression import Arc, Shown, withhold
from backend.models.accounts import Account
from backend.models.cases import Case
from backend.models.identity_checks import IdentityCheck
from backend.models.keys import Key
from backend.models.persons import Person

DAYS = 30
UNAIDED_METHODS = ("face", "network_identity")


@dataclass(frozen=True)
class IdentityFigures:
    """The last `days` days.

    `began`: tenants who entered a document. `unaided`: of these, who came through by face or network identity, or chose
    the window or a video themselves (`by_way` tells which came first). `helped`: settled by somebody's attestation or a
    member of staff without that choice. The median runs from a review's opening to a person's decision.
    """

    days: int
    began: int
    unaided: int
    helped: int
    by_way: dict[str, int]
    decided: int
    median_wait_minutes: int | None
    open_reviews: int
    late_reviews: int

    @property
    def median_wait(self) -> timedelta | None:
        """The median as a span."""
        return None if self.median_wait_minutes is None else timedelta(minutes=self.median_wait_minutes)

    @property
    def unfinished(self) -> int:
        """Who began and has neither come through nor chosen a way."""
        return self.began - self.unaided - self.helped

    @property
    def shown(self) -> dict[str, Shown]:
        """What is published of `began`, `unaided`, each way by its code, `helped` and `unfinished`; None: withheld.

        The ways make the unaided, and these with the helped and the unfinished all who began.
        """
        arcs: dict[object, Arc] = {code: Arc("all", "ways", count) for code, count in self.by_way.items()}
        arcs["unaided"] = Arc("ways", "parts", self.unaided, is_total=True)
        arcs["helped"], arcs["unfinished"] = Arc("all", "parts", self.helped), Arc("all", "parts", self.unfinished)
        arcs["began"] = Arc("parts", "all", self.began, is_total=True)
        return {str(name): count for name, count in withhold(arcs).items()}

    @property
    def unaided_percent(self) -> int | None:
        """Share of those who began, in whole percent; None while nobody has."""
        return round(100 * self.unaided / self.began) if self.began else None


def get_identity_figures(now: datetime, area: str = "") -> IdentityFigures:
    """The figures of the last 30 days; `area` narrows the reviews to a division's prefix."""
    since = now - timedelta(days=DAYS)
    began = _began(since)
    by_way = dict.fromkeys((*UNAIDED_METHODS, "window", "live_video"), 0)
    unaided, helped = 0, 0
    for settled, method, chosen in began:
        way = method if method in UNAIDED_METHODS else chosen
        if way in by_way:
            unaided += 1
            by_way[way] += 1
        elif settled:
            helped += 1
    waits = _waits(since, area)
    open_reviews, late = _open(now, area)
    return IdentityFigures(
        days=DAYS,
        began=len(began),
        unaided=unaided,
        helped=helped,
        by_way=by_way,
        decided=len(waits),
        median_wait_minutes=round(median(waits) / 60) if waits else None,
        open_reviews=open_reviews,
        late_reviews=late,
    )


def _began(since: datetime) -> list[tuple[bool, str | None, str | None]]:
    """Per tenant who entered a document: settled at all, the unaided method that passed, the way they chose."""
    is_tenant = (
        select(Key.id)
        .join(Account, Account.id == Key.holder_account_id)
        .where(Account.person_id == Person.id, Key.kind == "occupant")
        .exists()
    )
    passed = (
        select(func.min(IdentityCheck.method))
        .where(
            IdentityCheck.person_id == Person.id,
            IdentityCheck.method.in_(UNAIDED_METHODS),
            IdentityCheck.outcome == "pass",
        )
        .scalar_subquery()
    )
    chosen = (
        select(func.max(Case.evidence["way"].as_string()))
        .where(Case.person_id == Person.id, Case.kind == "identity_review")
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Person.identity_state, passed, chosen).where(Person.created_at >= since, is_tenant)
    )
    return [(state != "none", method, way) for state, method, way in rows]


def _waits(since: datetime, area: str) -> list[float]:
    rows = db.session.execute(
        select(Case.opened_at, Case.decided_at).where(
            Case.kind == "identity_review",
            Case.decided_by.is_not(None),
            Case.decided_at >= since,
            Case.area.startswith(area, autoescape=True),
        )
    )
    return [(decided_at - opened_at).total_seconds() for opened_at, decided_at in rows if decided_at is not None]


def _open(now: datetime, area: str) -> tuple[int, int]:
    row = db.session.execute(
        select(func.count(), func.count().filter(Case.due_at < now)).where(
            Case.kind == "identity_review", Case.decided_at.is_(None), Case.area.startswith(area, autoescape=True)
        )
    ).one()
    return row[0], row[1]
