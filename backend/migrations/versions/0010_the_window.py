"""The window: accounts without a phone, visits, who heard a consent, letters to print"""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ID, _CODE, _LONG = sa.Uuid(as_uuid=False), sa.String(length=40), sa.String(length=120)
_CHECKS = {
    "phone": "(phone_token IS NULL) = (phone_sealed IS NULL)",
    "desk": "phone_token IS NOT NULL OR desk_area IS NOT NULL",
}
_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("desk_area", _CODE, nullable=True))
        batch_op.alter_column("phone_token", existing_type=sa.LargeBinary(length=32), nullable=True)
        batch_op.alter_column("phone_sealed", existing_type=sa.LargeBinary(), nullable=True)
        for name, check in _CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_accounts_{name}"), check)
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("officer_id", _ID, nullable=True))
        batch_op.create_foreign_key(op.f("fk_consents_officer_id"), "officers", ["officer_id"], ["id"])
    op.create_table(
        "window_visits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("officer_id", _ID, nullable=False),
        sa.Column("area", _CODE, nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("channel", _CODE, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("channel IN ('window', 'paper')", name=op.f("ck_window_visits_channel")),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_window_visits_officer_id")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_window_visits_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_window_visits")),
    )
    op.create_index(op.f("ix_window_visits_account_id"), "window_visits", ["account_id"])
    op.create_index("ix_window_visits_officer_id_at", "window_visits", ["officer_id", "at"])
    op.create_index(
        "ix_invitations_pending_phone", "invitations", ["phone_token"], sqlite_where=_PENDING, postgresql_where=_PENDING
    )
    _make_letters()


def _make_letters() -> None:
    op.create_table(
        "letters",
        sa.Column("id", _ID, nullable=False),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("area", _CODE, nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("once", _LONG, nullable=False),
        sa.Column("rule", _CODE, nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("printed_at", UtcDateTime(), nullable=True),
        sa.Column("printed_by", _ID, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_letters_person_id")),
        sa.ForeignKeyConstraint(["printed_by"], ["officers.id"], name=op.f("fk_letters_printed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letters")),
        sa.UniqueConstraint("once", name=op.f("uq_letters_once")),
    )
    op.create_index("ix_letters_area_printed_at", "letters", ["area", "printed_at"])
    op.create_index(op.f("ix_letters_person_id"), "letters", ["person_id"])


def downgrade() -> None:
    op.drop_index("ix_invitations_pending_phone", "invitations")
    op.drop_table("letters")
    op.drop_table("window_visits")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_consents_officer_id"), type_="foreignkey")
        batch_op.drop_column("officer_id")
    _give_everybody_a_phone_nobody_has()
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        for name in _CHECKS:
            batch_op.drop_constraint(op.f(f"ck_accounts_{name}"), type_="check")
        batch_op.alter_column("phone_sealed", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.alter_column("phone_token", existing_type=sa.LargeBinary(length=32), nullable=False)
        batch_op.drop_column("desk_area")


def _give_everybody_a_phone_nobody_has() -> None:
    """Before this revision an account had a phone: whoever has none keeps the account, out of reach of any phone."""
    accounts = sa.table(
        "accounts",
        sa.column("id", _ID),
        sa.column("phone_token", sa.LargeBinary()),
        sa.column("phone_sealed", sa.LargeBinary()),
    )
    connection = op.get_bind()
    for (account_id,) in connection.execute(sa.select(accounts.c.id).where(accounts.c.phone_token.is_(None))).all():
        nobody = {"phone_token": sha256(str(account_id).encode()).digest(), "phone_sealed": b""}
        connection.execute(sa.update(accounts).where(accounts.c.id == account_id).values(**nobody))
