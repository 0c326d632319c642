"""Staff: passkeys, first sign-in by a code, locked screens, purposes that end, accounts under four eyes, notices"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_ID, _CODE, _LONG = sa.Uuid(as_uuid=False), sa.String(length=40), sa.String(length=120)
_HASH = sa.LargeBinary(length=32)
_WAYS = "way IN ('password', 'passkey', 'first_code')"


def upgrade() -> None:
    with op.batch_alter_table("officers", schema=None) as batch_op:
        batch_op.alter_column("password_hash", existing_type=sa.String(), nullable=True)
        batch_op.add_column(sa.Column("totp_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("first_code_hash", _HASH, nullable=True))
        batch_op.add_column(sa.Column("first_code_until", UtcDateTime(), nullable=True))
    op.execute("UPDATE officers SET totp_at = created_at")  # whoever has an account has an authenticator
    with op.batch_alter_table("officer_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("purpose_until", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("way", _CODE, nullable=False, server_default="password"))
        batch_op.add_column(sa.Column("user_agent", _LONG, nullable=False, server_default=""))
        batch_op.add_column(sa.Column("locked_at", UtcDateTime(), nullable=True))
        batch_op.create_check_constraint(op.f("ck_officer_sessions_way"), _WAYS)
    with op.batch_alter_table("officer_sessions", schema=None) as batch_op:
        batch_op.alter_column("way", existing_type=_CODE, server_default=None)
        batch_op.alter_column("user_agent", existing_type=_LONG, server_default=None)
    op.execute("UPDATE officer_sessions SET purpose = NULL, case_ref = NULL, purpose_at = NULL")
    _make_passkeys()
    _make_requests()
    op.create_table(
        "staff_notices",
        sa.Column("id", _ID, nullable=False),
        sa.Column("officer_id", _ID, nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("once", _LONG, nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_staff_notices_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_notices")),
        sa.UniqueConstraint("officer_id", "once", name=op.f("uq_staff_notices_officer_id_once")),
    )


def _make_passkeys() -> None:
    op.create_table(
        "officer_passkeys",
        sa.Column("id", _ID, nullable=False),
        sa.Column("officer_id", _ID, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.Integer(), nullable=False),
        sa.Column("label", _LONG, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_officer_passkeys_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_officer_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_officer_passkeys_officer_id"), "officer_passkeys", ["officer_id"])
    op.create_table(
        "officer_challenges",
        sa.Column("challenge", _HASH, nullable=False),
        sa.Column("officer_id", _ID, nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_officer_challenges_officer_id")),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_officer_challenges")),
    )
    op.create_index(op.f("ix_officer_challenges_expires_at"), "officer_challenges", ["expires_at"])


def _make_requests() -> None:
    op.create_table(
        "account_requests",
        sa.Column("id", _ID, nullable=False),
        sa.Column("kind", _CODE, nullable=False),
        sa.Column("officer_id", _ID, nullable=True),
        sa.Column("login", _LONG, nullable=False),
        sa.Column("display_name", _LONG, nullable=False),
        sa.Column("office", _LONG, nullable=False),
        sa.Column("role", _CODE, nullable=False),
        sa.Column("area", _CODE, nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("asked_by", _ID, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", _ID, nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('create', 'change', 'reset', 'resume', 'suspend')", name=op.f("ck_account_requests_kind")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'approved', 'declined', 'withdrawn')", name=op.f("ck_account_requests_state")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by OR NOT four_eyes OR state = 'withdrawn'",
            name=op.f("ck_account_requests_four_eyes"),
        ),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_account_requests_officer_id")),
        sa.ForeignKeyConstraint(["asked_by"], ["officers.id"], name=op.f("fk_account_requests_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["officers.id"], name=op.f("fk_account_requests_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_requests")),
    )
    op.create_index(op.f("ix_account_requests_officer_id"), "account_requests", ["officer_id"])
    op.create_index("ix_account_requests_state", "account_requests", ["state"])


def downgrade() -> None:
    for table in ("staff_notices", "account_requests", "officer_challenges", "officer_passkeys"):
        op.drop_table(table)
    with op.batch_alter_table("officer_sessions", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_officer_sessions_way"), type_="check")
        for column in ("locked_at", "user_agent", "way", "purpose_until"):
            batch_op.drop_column(column)
    # Before this revision every account had a password: whoever has none keeps one that nobody knows.
    op.execute("UPDATE officers SET password_hash = '!' WHERE password_hash IS NULL")
    with op.batch_alter_table("officers", schema=None) as batch_op:
        for column in ("first_code_until", "first_code_hash", "totp_at"):
            batch_op.drop_column(column)
        batch_op.alter_column("password_hash", existing_type=sa.String(), nullable=False)
