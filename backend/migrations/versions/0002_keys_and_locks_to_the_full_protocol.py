"""Keys and locks to the full protocol"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "key_delegates",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("phone_thumbprint", sa.String(length=120), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_key_delegates_account_id")),
        sa.ForeignKeyConstraint(["lock_id"], ["locks.id"], name=op.f("fk_key_delegates_lock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_delegates")),
    )
    with op.batch_alter_table("key_delegates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_key_delegates_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_key_delegates_lock_id", ["lock_id", "expires_at"], unique=False)

    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.alter_column("lease_id", existing_type=sa.Uuid(as_uuid=False), nullable=True)
        batch_op.create_index(batch_op.f("ix_invitations_key_id"), ["key_id"], unique=False)
        batch_op.create_check_constraint("one_aim", "(lease_id IS NULL) <> (key_id IS NULL)")
        batch_op.create_foreign_key(batch_op.f("fk_invitations_key_id"), "keys", ["key_id"], ["id"])

    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sched", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("uses", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("tvr", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("code_counter", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("purpose", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("issued_by", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("issuer_role", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("consent", sa.String(length=40), nullable=False, server_default="not_needed"))
        batch_op.add_column(sa.Column("consent_by", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("consent_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("emergency", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("replaces_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.add_column(sa.Column("delegate_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.alter_column("lease_id", existing_type=sa.Uuid(as_uuid=False), nullable=True)
        batch_op.create_check_constraint(
            "consent", "consent IN ('not_needed', 'asked', 'given', 'refused', 'emergency')"
        )
        batch_op.create_check_constraint("issuer_role", "issuer_role IN ('tenant', 'landlord')")
        batch_op.create_check_constraint("lease", "kind = 'visitor' OR lease_id IS NOT NULL")
        batch_op.create_check_constraint("purpose", "kind = 'occupant' OR purpose IS NOT NULL")
        batch_op.create_foreign_key(batch_op.f("fk_keys_issued_by"), "accounts", ["issued_by"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_keys_replaces_id"), "keys", ["replaces_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_keys_consent_by"), "accounts", ["consent_by"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_keys_delegate_id"), "key_delegates", ["delegate_id"], ["id"])

    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("joint_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.create_index(batch_op.f("ix_leases_joint_id"), ["joint_id"], unique=False)
        batch_op.create_foreign_key(batch_op.f("fk_leases_joint_id"), "leases", ["joint_id"], ["id"])

    with op.batch_alter_table("lock_anomalies", schema=None) as batch_op:
        batch_op.add_column(sa.Column("last_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("seen", sa.Integer(), nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("size_bytes", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("digest", sa.LargeBinary(length=32), nullable=True))

    op.execute('UPDATE lock_anomalies SET last_at = "at"')
    with op.batch_alter_table("lock_anomalies", schema=None) as batch_op:
        batch_op.alter_column("last_at", existing_type=UtcDateTime(), nullable=False)

    with op.batch_alter_table("locks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("agreement_key", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("retiring_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("retire_reason", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("replaced_by", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("closed_seq", sa.BigInteger(), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_locks_replaced_by"), "locks", ["replaced_by"], ["id"])

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shard", sa.Integer(), nullable=True))

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_cases_kind"), type_="check")
        batch_op.create_check_constraint(
            "kind",
            "kind IN ('identity_review', 'unit_claim', 'dispute', 'leg_difference', 'overdue_registration', 'registry_rejection', 'data_question', 'help_request', 'resident_report', 'rebind')",
        )


def downgrade() -> None:
    op.execute("UPDATE cases SET kind = 'help_request' WHERE kind = 'rebind'")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_cases_kind"), type_="check")
        batch_op.create_check_constraint(
            "kind",
            "kind IN ('identity_review', 'unit_claim', 'dispute', 'leg_difference', 'overdue_registration', 'registry_rejection', 'data_question', 'help_request', 'resident_report')",
        )

    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_column("shard")

    with op.batch_alter_table("locks", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_locks_replaced_by"), type_="foreignkey")
        batch_op.drop_column("closed_seq")
        batch_op.drop_column("replaced_by")
        batch_op.drop_column("retire_reason")
        batch_op.drop_column("retiring_at")
        batch_op.drop_column("agreement_key")

    with op.batch_alter_table("lock_anomalies", schema=None) as batch_op:
        batch_op.drop_column("digest")
        batch_op.drop_column("size_bytes")
        batch_op.drop_column("seen")
        batch_op.drop_column("last_at")

    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_leases_joint_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_leases_joint_id"))
        batch_op.drop_column("joint_id")

    with op.batch_alter_table("keys", schema=None) as batch_op:
        for name in ("consent", "issuer_role", "lease", "purpose"):
            batch_op.drop_constraint(batch_op.f(f"ck_keys_{name}"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_keys_delegate_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_keys_consent_by"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_keys_replaces_id"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_keys_issued_by"), type_="foreignkey")
        batch_op.alter_column("lease_id", existing_type=sa.Uuid(as_uuid=False), nullable=False)
        batch_op.drop_column("delegate_id")
        batch_op.drop_column("replaces_id")
        batch_op.drop_column("emergency")
        batch_op.drop_column("consent_at")
        batch_op.drop_column("consent_by")
        batch_op.drop_column("consent")
        batch_op.drop_column("issuer_role")
        batch_op.drop_column("issued_by")
        batch_op.drop_column("purpose")
        batch_op.drop_column("code_counter")
        batch_op.drop_column("tvr")
        batch_op.drop_column("uses")
        batch_op.drop_column("sched")

    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_invitations_one_aim"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_invitations_key_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_invitations_key_id"))
        batch_op.alter_column("lease_id", existing_type=sa.Uuid(as_uuid=False), nullable=False)
        batch_op.drop_column("key_id")

    with op.batch_alter_table("key_delegates", schema=None) as batch_op:
        batch_op.drop_index("ix_key_delegates_lock_id")
        batch_op.drop_index(batch_op.f("ix_key_delegates_account_id"))

    op.drop_table("key_delegates")
