"""Search by a whole name and by receipt number, and the age bands of a village as numbers"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NAMELESS = sa.text("name_token IS NULL")
_RECEIPTS = ("receipt_no", "checkout_receipt_no")


def upgrade() -> None:
    # Names are sealed, so that only the worker can make their tokens (services.name_tokens).
    op.add_column("persons", sa.Column("name_token", sa.LargeBinary(length=32), nullable=True))
    op.create_index("ix_persons_name_token", "persons", ["name_token"])
    op.create_index(
        "ix_persons_without_name_token", "persons", ["id"], sqlite_where=_NAMELESS, postgresql_where=_NAMELESS
    )
    for column in _RECEIPTS:
        there = sa.text(f"{column} IS NOT NULL")
        op.create_index(
            f"ix_registrations_{column}", "registrations", [column], sqlite_where=there, postgresql_where=there
        )
    op.create_table(
        "age_counts",
        sa.Column("division", sa.String(length=40), nullable=False),
        sa.Column("band", sa.String(length=40), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("counted_on", sa.Date(), nullable=False),
        sa.CheckConstraint("people >= 0", name=op.f("ck_age_counts_people")),
        sa.PrimaryKeyConstraint("division", "band", name=op.f("pk_age_counts")),
    )


def downgrade() -> None:
    op.drop_table("age_counts")
    for column in _RECEIPTS:
        op.drop_index(f"ix_registrations_{column}", "registrations")
    op.drop_index("ix_persons_without_name_token", "persons")
    op.drop_index("ix_persons_name_token", "persons")
    op.drop_column("persons", "name_token")
