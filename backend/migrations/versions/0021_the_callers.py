"""One case for each form that was sent; until when a caller is called; indexes for a unit's cases and callers' numbers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime, UuidText

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_KEPT = sa.text("contact_sealed IS NOT NULL")
_UNCALLED = sa.text("call_due_at IS NOT NULL AND answered_at IS NULL AND escalated_at IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("once", UuidText(), nullable=True))
        batch_op.add_column(sa.Column("call_due_at", UtcDateTime(), nullable=True))
        batch_op.create_unique_constraint(op.f("uq_cases_once"), ["once"])
    op.create_index("ix_cases_unit_id", "cases", ["unit_id"])
    op.create_index("ix_cases_uncalled", "cases", ["call_due_at"], sqlite_where=_UNCALLED, postgresql_where=_UNCALLED)
    op.create_index("ix_cases_contact", "cases", ["id"], sqlite_where=_KEPT, postgresql_where=_KEPT)


def downgrade() -> None:
    op.drop_index("ix_cases_contact", table_name="cases")
    op.drop_index("ix_cases_uncalled", table_name="cases")
    op.drop_index("ix_cases_unit_id", table_name="cases")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("uq_cases_once"), type_="unique")
        batch_op.drop_column("call_due_at")
        batch_op.drop_column("once")
