"""The first tables of the registry."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "batch_items",
        sa.Column("batch_number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("record_version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(length=10), nullable=False),
        sa.Column("leg", sa.String(length=10), nullable=False),
        sa.Column("item", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("batch_number", "place", name=op.f("pk_batch_items")),
    )
    op.create_table(
        "batches",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("divisions", sa.JSON(), nullable=False),
        sa.Column("idempotency_key", sa.String(length=128), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("not_before", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("finished_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_batches")),
        sa.UniqueConstraint("id", name=op.f("uq_batches_id")),
        sa.UniqueConstraint("sender", "idempotency_key", name=op.f("uq_batches_sender_idempotency_key")),
    )
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.create_index("ix_batches_state_number", ["state", "number"], unique=False)

    op.create_table(
        "changes",
        sa.Column("sequence", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_changes")),
    )
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_changes_sender"), ["sender"], unique=False)

    op.create_table(
        "codes",
        sa.Column("table_name", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("zh", sa.String(length=120), nullable=False),
        sa.Column("en", sa.String(length=120), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_until", sa.String(length=10), nullable=True),
        sa.Column("traits", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "code", name=op.f("pk_codes")),
    )
    op.create_table(
        "faults",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("times_left", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_faults")),
    )
    op.create_table(
        "legs",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("part", sa.String(length=10), nullable=False),
        sa.Column("op", sa.String(length=10), nullable=False),
        sa.Column("leg", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("effective_at", sa.String(length=24), nullable=False),
        sa.Column("declared_at", sa.String(length=24), nullable=False),
        sa.Column("declared_day", sa.String(length=10), nullable=False),
        sa.Column("accepted_at", sa.String(length=24), nullable=False),
        sa.Column("receipt_no", sa.String(length=40), nullable=False),
        sa.Column("receipt_sig", sa.String(length=2000), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "part", name=op.f("pk_legs")),
        sa.UniqueConstraint("receipt_no", name=op.f("uq_legs_receipt_no")),
    )
    with op.batch_alter_table("legs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_legs_declared_day"), ["declared_day"], unique=False)

    op.create_table(
        "people",
        sa.Column("number_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("number_hash", name=op.f("pk_people")),
    )
    op.create_table(
        "reads",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("office", sa.String(length=120), nullable=False),
        sa.Column("badge", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=120), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_reads")),
    )
    with op.batch_alter_table("reads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reads_record_id"), ["record_id"], unique=False)

    op.create_table(
        "records",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("town", sa.String(length=9), nullable=False),
        sa.Column("unit_no", sa.String(length=40), nullable=False),
        sa.Column("person_hash", sa.String(length=64), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
    )
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_records_person_hash"), ["person_hash"], unique=False)
        batch_op.create_index(batch_op.f("ix_records_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "sequences",
        sa.Column("town", sa.String(length=9), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("town", "day", name=op.f("pk_sequences")),
    )
    op.create_table(
        "versions",
        sa.Column("record_id", sa.String(length=36), nullable=False),
        sa.Column("leg", sa.String(length=10), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("op", sa.String(length=10), nullable=False),
        sa.Column("payload_hash", sa.String(length=64), nullable=False),
        sa.Column("receipt_no", sa.String(length=40), nullable=False),
        sa.Column("accepted_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "leg", "version", name=op.f("pk_versions")),
        sa.UniqueConstraint("receipt_no", name=op.f("uq_versions_receipt_no")),
    )


def downgrade() -> None:
    op.drop_table("versions")
    op.drop_table("sequences")
    with op.batch_alter_table("records", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_records_updated_at"))
        batch_op.drop_index(batch_op.f("ix_records_person_hash"))

    op.drop_table("records")
    with op.batch_alter_table("reads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reads_record_id"))

    op.drop_table("reads")
    op.drop_table("people")
    with op.batch_alter_table("legs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_legs_declared_day"))

    op.drop_table("legs")
    op.drop_table("faults")
    op.drop_table("codes")
    with op.batch_alter_table("changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_changes_sender"))

    op.drop_table("changes")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_index("ix_batches_state_number")

    op.drop_table("batches")
    op.drop_table("batch_items")
