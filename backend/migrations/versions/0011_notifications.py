"""Notifications: topics a person has silenced, the day of the last reminder by short message, the day of a message"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_DAY_SQLITE = "date(at, '+8 hours')"  # stored in UTC; China has no summer time
_DAY_POSTGRESQL = "(at AT TIME ZONE 'Asia/Shanghai')::date"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("silenced", sa.JSON(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("accounts", sa.Column("reminded_on", sa.Date(), nullable=True))
    op.add_column("notices", sa.Column("day", sa.Date(), nullable=True))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(f"UPDATE notices SET day = {_DAY_SQLITE if is_sqlite else _DAY_POSTGRESQL}")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.alter_column("day", existing_type=sa.Date(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_column("day")
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.drop_column("reminded_on")
        batch_op.drop_column("silenced")
