"""A person's rights: requests to delete, persons whose data is gone, English names of offices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ID, _LONG = sa.Uuid(as_uuid=False), sa.String(length=120)
_OPEN = sa.text("withdrawn_at IS NULL AND done_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", _ID, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_erasures_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(
        "uq_erasures_one_open", "erasures", ["account_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_table(
        "office_names",
        sa.Column("zh", _LONG, nullable=False),
        sa.Column("en", _LONG, nullable=False),
        sa.PrimaryKeyConstraint("zh", name=op.f("pk_office_names")),
    )
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("erased_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_column("erased_at")
    op.drop_table("office_names")
    op.drop_index("uq_erasures_one_open", "erasures")
    op.drop_table("erasures")
