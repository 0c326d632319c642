"""Deadlines: when each duty is looked at again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AT_ONCE = sa.text("'1970-01-01 00:00:00'")  # every row of an older database is looked at once
_NAMED = sa.text("duties_look_at IS NOT NULL")
_INDEXES = (
    ("ix_registrations_duties_look_at", "registrations", ["duties_look_at"], _NAMED),
    ("ix_leases_duties_look_at", "leases", ["duties_look_at"], _NAMED),
    (
        "ix_registrations_undeclared",
        "registrations",
        ["tenant_due_on"],
        sa.text("residence = 'living' AND tenant_leg <> 'declared'"),
    ),
    (
        "ix_registrations_unreported",
        "registrations",
        ["landlord_due_on"],
        sa.text("residence = 'living' AND landlord_leg = 'due'"),
    ),
    (
        "ix_registrations_alarmed",
        "registrations",
        ["registry_alarmed_at"],
        sa.text("registry_alarmed_at IS NOT NULL AND accepted_at IS NULL"),
    ),
    ("ix_leases_ends_on", "leases", ["ends_on"], sa.text("state = 'active' AND ends_on IS NOT NULL")),
    ("ix_cases_registration_id", "cases", ["registration_id"], None),
    ("ix_cases_undecided", "cases", ["due_at"], sa.text("decided_at IS NULL AND escalated_at IS NULL")),
    (
        "ix_persons_identity_review_due_at",
        "persons",
        ["identity_review_due_at"],
        sa.text("identity_state = 'attested'"),
    ),
    ("ix_invitations_accepted_by", "invitations", ["accepted_by"], sa.text("accepted_by IS NOT NULL")),
)
_MARKS = ("registry_alarmed_at", "paper_due_at")


def upgrade() -> None:
    for table in ("registrations", "leases"):
        op.add_column(table, sa.Column("duties_look_at", UtcDateTime(), nullable=True, server_default=_AT_ONCE))
    for name in _MARKS:
        op.add_column("registrations", sa.Column(name, UtcDateTime(), nullable=True))
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _columns, _where in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    for name in reversed(_MARKS):
        op.drop_column("registrations", name)
    for table in ("leases", "registrations"):
        op.drop_column(table, "duties_look_at")
