"""Whether a person has seen a landlord's right to let: when, by whom, how. What was claimed before is not seen yet"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime, UuidText

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KINDS = "seen_kind IN ('at_window', 'on_visit', 'in_case')"
_WHOLE = "(seen_at IS NULL) = (seen_by IS NULL) AND (seen_at IS NULL) = (seen_kind IS NULL)"


def upgrade() -> None:
    with op.batch_alter_table("unit_claims", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("seen_by", UuidText(), nullable=True))
        batch_op.add_column(sa.Column("seen_kind", sa.String(length=40), nullable=True))
        batch_op.create_foreign_key(op.f("fk_unit_claims_seen_by"), "officers", ["seen_by"], ["id"])
        batch_op.create_check_constraint(op.f("ck_unit_claims_seen_kind"), _KINDS)
        batch_op.create_check_constraint(op.f("ck_unit_claims_seen_by_somebody"), _WHOLE)


def downgrade() -> None:
    with op.batch_alter_table("unit_claims", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_unit_claims_seen_by_somebody"), type_="check")
        batch_op.drop_constraint(op.f("ck_unit_claims_seen_kind"), type_="check")
        batch_op.drop_constraint(op.f("fk_unit_claims_seen_by"), type_="foreignkey")
        batch_op.drop_column("seen_kind")
        batch_op.drop_column("seen_by")
        batch_op.drop_column("seen_at")
