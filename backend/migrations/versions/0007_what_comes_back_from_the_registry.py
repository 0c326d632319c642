"""What comes back from the registry: reconciliation, corrections, reads"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime, UuidText

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TENANTS = sa.text("leg = 'TENANT'")
_WAITING = sa.text("state = 'shown'")
_CHINA_HOURS = 8  # China has had one zone without summer time since 1991
_CHUNK = 1_000


def upgrade() -> None:
    _make_legs()
    _make_feeds()
    op.create_table(
        "reconciliations",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("town", sa.String(length=40), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("our_count", sa.Integer(), nullable=False),
        sa.Column("their_count", sa.Integer(), nullable=False),
        sa.Column("mended", sa.Integer(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('equal', 'differs', 'digest_skew')", name=op.f("ck_reconciliations_outcome")
        ),
        sa.PrimaryKeyConstraint("day", "town", name=op.f("pk_reconciliations")),
    )  # fmt: skip
    op.create_index("ix_reconciliations_outcome", "reconciliations", ["outcome"])
    op.create_table(
        "turns",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("taken_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_turns")),
    )
    _fill_legs(op.get_bind())


def downgrade() -> None:
    for table in ("turns", "reconciliations", "registry_reads", "registry_corrections", "registry_cursors"):
        op.drop_table(table)
    op.drop_table("registry_legs")


def _make_legs() -> None:
    op.create_table(
        "registry_legs",
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("leg", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("town", sa.String(length=40), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("reads_asked_at", UtcDateTime(), nullable=False),
        sa.Column("reads_seen", sa.Integer(), nullable=False),
        sa.CheckConstraint("leg IN ('TENANT', 'LANDLORD')", name=op.f("ck_registry_legs_leg")),
        sa.CheckConstraint("state IN ('ACTIVE', 'MOVED_OUT', 'VOIDED')", name=op.f("ck_registry_legs_state")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_registry_legs_registration_id")
        ),
        sa.PrimaryKeyConstraint("registration_id", "leg", name=op.f("pk_registry_legs")),
    )
    op.create_index("ix_registry_legs_day_town", "registry_legs", ["day", "town", "changed_at"])
    op.create_index(
        "ix_registry_legs_reads", "registry_legs", ["reads_asked_at"],
        sqlite_where=_TENANTS, postgresql_where=_TENANTS,
    )  # fmt: skip


def _make_feeds() -> None:
    op.create_table(
        "registry_cursors",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("cursor", sa.String(length=120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_registry_cursors")),
    )
    op.create_table(
        "registry_corrections",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("values_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint(
            "state IN ('shown', 'accepted', 'objected', 'unanswered')", name=op.f("ck_registry_corrections_state")
        ),
        sa.CheckConstraint(
            "(state = 'shown') = (answered_at IS NULL)", name=op.f("ck_registry_corrections_answered")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_registry_corrections_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_corrections")),
        sa.UniqueConstraint("sequence", name=op.f("uq_registry_corrections_sequence")),
    )  # fmt: skip
    op.create_index("ix_registry_corrections_registration_id", "registry_corrections", ["registration_id"])
    op.create_index(
        "ix_registry_corrections_due", "registry_corrections", ["due_at"],
        sqlite_where=_WAITING, postgresql_where=_WAITING,
    )  # fmt: skip
    op.create_table(
        "registry_reads",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("office", sa.String(length=120), nullable=False),
        sa.Column("badge", sa.String(length=120), nullable=False),
        sa.Column("purpose", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_registry_reads_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_reads")),
        sa.UniqueConstraint("registration_id", "number", name=op.f("uq_registry_reads_registration_id_number")),
    )
    op.create_index("ix_registry_reads_person_id_id", "registry_reads", ["person_id", "id"])


_ACCEPTED = sa.text(
    "SELECT a.registration_id, a.leg, a.version, r.declared_at, r.landlord_reported_at, r.residence,"
    " r.receipt_no, r.landlord_receipt_no, r.checkout_receipt_token, r.updated_at"
    " FROM registry_attempts a JOIN registrations r ON r.id = a.registration_id"
    " WHERE a.outcome = 'accepted' AND a.op IN ('UPSERT', 'AMEND') AND a.id ="
    " (SELECT max(b.id) FROM registry_attempts b WHERE b.registration_id = a.registration_id AND b.leg = a.leg"
    " AND b.outcome = 'accepted' AND b.op IN ('UPSERT', 'AMEND'))"
).columns(
    registration_id=UuidText(), declared_at=UtcDateTime(), landlord_reported_at=UtcDateTime(), updated_at=UtcDateTime()
)


def _fill_legs(connection: sa.Connection) -> None:
    """What was accepted before this table was: version from the attempt, town from the receipt's number."""
    table = sa.table(
        "registry_legs",
        sa.column("registration_id", UuidText()),
        *(sa.column(name) for name in ("leg", "version", "state", "town", "reads_seen")),
        sa.column("day", sa.Date()),
        sa.column("changed_at", UtcDateTime()),
        sa.column("reads_asked_at", UtcDateTime()),
    )
    rows = [row for found in connection.execute(_ACCEPTED).mappings() if (row := _leg_of(found)) is not None]
    for start in range(0, len(rows), _CHUNK):
        connection.execute(sa.insert(table), rows[start : start + _CHUNK])


def _leg_of(row: Any) -> dict[str, Any] | None:
    declared: datetime | None = row["declared_at"]
    if row["leg"] == "LANDLORD":
        declared = row["landlord_reported_at"] or declared
    number = (row["receipt_no"] or row["landlord_receipt_no"] or "").split("-")
    if declared is None or len(number) != 5 or number[0] != "R":
        return None
    state = "ACTIVE"
    if row["checkout_receipt_token"] is not None:
        state = "VOIDED" if row["residence"] == "voided" else "MOVED_OUT"
    return {
        "registration_id": row["registration_id"],
        "leg": row["leg"],
        "version": row["version"],
        "state": state,
        "day": datetime.fromtimestamp(declared.timestamp() + _CHINA_HOURS * 3600, UTC).date(),
        "town": number[1],
        "changed_at": row["updated_at"],
        "reads_asked_at": row["updated_at"],
        "reads_seen": 0,
    }
