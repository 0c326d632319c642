"""Units of a dwelling (a whole home, a room, a bed) and the landlords' claims on them."""

from __future__ import annotations

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, one_of

SPACE_KINDS = (
    "whole_home",
    "bedroom",
    "living_room",
    "kitchen",
    "toilet",
    "balcony",
    "corridor",
    "basement_store",
    "garage",
)
CLAIM_STATES = ("accepted", "contested", "refused", "ended")
RIGHT_KINDS = ("owner", "co_owner", "sublet_agreed", "mandate")
SEEN_KINDS = ("at_window", "on_visit", "in_case")


class Unit(Base):
    """A space that may be let; `public_number` is on the door's QR and holds no personal data."""

    __tablename__ = "units"
    __table_args__ = (
        one_of("space_kind", SPACE_KINDS),
        CheckConstraint("usable_area_m2 > 0", name="area"),
        CheckConstraint("capacity >= 1", name="capacity"),
        UniqueConstraint("dwelling_id", "label"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    dwelling_id: Mapped[Id] = mapped_column(ForeignKey("dwellings.id"), index=True)
    public_number: Mapped[Code] = mapped_column(unique=True)
    label: Mapped[Text120]
    space_kind: Mapped[Code]
    usable_area_m2: Mapped[float]
    capacity: Mapped[int]
    landlord_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), index=True, default=None)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]


class UnitClaim(Base):
    """A landlord's claim on a unit with the right to let; evidence is seen, no copy is kept.

    `seen_*` is who of the staff has seen it, when and how; a new claim (another landlord's, or a mandate renewed) has
    to be seen anew.
    """

    __tablename__ = "unit_claims"
    __table_args__ = (
        one_of("right_kind", RIGHT_KINDS),
        one_of("state", CLAIM_STATES),
        one_of("seen_kind", SEEN_KINDS),
        CheckConstraint(
            "(seen_at IS NULL) = (seen_by IS NULL) AND (seen_at IS NULL) = (seen_kind IS NULL)", name="seen_by_somebody"
        ),
        Index(
            "uq_unit_claims_one_accepted",
            "unit_id",
            unique=True,
            sqlite_where=text("state = 'accepted'"),
            postgresql_where=text("state = 'accepted'"),
        ),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    unit_id: Mapped[Id] = mapped_column(ForeignKey("units.id"), index=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("persons.id"), index=True)
    right_kind: Mapped[Code]
    evidence: Mapped[Text120]
    mandate_ends_on: Mapped[date | None] = mapped_column(default=None)
    state: Mapped[Code]
    case_id: Mapped[Id | None] = mapped_column(default=None)
    created_at: Mapped[Moment]
    seen_at: Mapped[Moment | None] = mapped_column(default=None)
    seen_by: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    seen_kind: Mapped[Code | None] = mapped_column(default=None)
