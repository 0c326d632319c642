"""The registry's own corrections, how far senders have read them, and a quick look for what waits of a record."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cursors",
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("cursor", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("sender", name=op.f("pk_cursors")),
    )
    op.create_index("ix_batch_items_record_id", "batch_items", ["record_id"], unique=False)
    op.add_column("changes", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("records", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    op.add_column("records", sa.Column("corrected", sa.JSON(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_column("corrected")
        batch_op.drop_column("revision")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_column("revision")
    op.drop_index("ix_batch_items_record_id", table_name="batch_items")
    op.drop_table("cursors")
