"""Residences declared in person without a lease; reports that staff take down for somebody, with whom to call back"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_CODE = sa.String(length=40)
_BASES = "basis IN ('lease_unrecorded', 'oral', 'hosted')"


def upgrade() -> None:
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("basis", _CODE, nullable=True))
        batch_op.create_check_constraint(op.f("ck_registrations_basis"), _BASES)
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("contact_sealed", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("contact_sealed")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_registrations_basis"), type_="check")
        batch_op.drop_column("basis")
