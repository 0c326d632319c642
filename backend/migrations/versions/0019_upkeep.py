"""Local standards with their days, checks of the audit log, identities to which nothing leads any more"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID, _CODE, _LONG = sa.Uuid(as_uuid=False), sa.String(length=40), sa.String(length=120)


def upgrade() -> None:
    op.create_table(
        "local_standards",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _CODE, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("reason", _LONG, nullable=False),
        sa.Column("set_by", _ID, nullable=False),
        sa.Column("set_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("name IN ('area_per_head_m2', 'persons_per_room')", name=op.f("ck_local_standards_name")),
        sa.CheckConstraint("value > 0", name=op.f("ck_local_standards_value")),
        sa.ForeignKeyConstraint(["set_by"], ["officers.id"], name=op.f("fk_local_standards_set_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_standards")),
    )
    op.create_index("ix_local_standards_name", "local_standards", ["name", "starts_on"])
    op.create_table(
        "audit_checks",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("badge", _CODE, nullable=True),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("fault_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_checks")),
    )
    op.create_index("ix_audit_leaves_object_id", "audit_leaves", ["object_id", "id"])
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("adrift_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("named_gone_at", UtcDateTime(), nullable=True))
    with op.batch_alter_table("unit_standings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("space_kind", _CODE, nullable=True))
    op.execute("UPDATE unit_standings SET space_kind = (SELECT space_kind FROM units WHERE id = unit_id)")
    with op.batch_alter_table("unit_standings", schema=None) as batch_op:
        batch_op.alter_column("space_kind", existing_type=_CODE, nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("unit_standings", schema=None) as batch_op:
        batch_op.drop_column("space_kind")
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_column("named_gone_at")
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_column("adrift_at")
    op.drop_index("ix_audit_leaves_object_id", "audit_leaves")
    op.drop_table("audit_checks")
    op.drop_table("local_standards")
