"""Shards of bridges and months of events"""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SHARDS = 16
MONTHS_AHEAD = 2
WIDER = {"locks": ("stored_seq", "checked_seq"), "commands": ("event_seq",)}


def upgrade() -> None:
    op.create_table(
        "bridges",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bridges")),
    )
    shards = op.create_table(
        "bridge_shards",
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=120), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.CheckConstraint("shard BETWEEN 0 AND 15", name=op.f("ck_bridge_shards_shard")),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_bridge_shards")),
    )
    op.bulk_insert(shards, [{"shard": shard, "fence": 0} for shard in range(SHARDS)])
    for table, columns in WIDER.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, existing_type=sa.Integer(), type_=sa.BigInteger())
    _fill_shards_of_the_outbox()
    _set_events_aside()
    _create_events(("lock_id", "seq", "received_at"), postgresql_partition_by="RANGE (received_at)")
    if op.get_bind().dialect.name == "postgresql":
        _create_months()
    _take_events_back()


def downgrade() -> None:
    _set_events_aside()
    _create_events(("lock_id", "seq"))
    _take_events_back()
    for table, columns in WIDER.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for column in columns:
                batch_op.alter_column(column, existing_type=sa.BigInteger(), type_=sa.Integer())
    op.drop_table("bridge_shards")
    op.drop_table("bridges")


def _fill_shards_of_the_outbox() -> None:
    connection = op.get_bind()
    outbox = sa.table("outbox", sa.column("destination"), sa.column("aggregate_id"), sa.column("shard"))
    of_locks = (outbox.c.destination == "lock") & outbox.c.shard.is_(None)
    for lock_id in connection.scalars(sa.select(outbox.c.aggregate_id).where(of_locks).distinct()).all():
        shard = zlib.crc32(lock_id.encode()) % SHARDS
        connection.execute(sa.update(outbox).where(of_locks, outbox.c.aggregate_id == lock_id).values(shard=shard))


def _set_events_aside() -> None:
    """Rename the table, and its constraint and index, whose names PostgreSQL gives out once."""
    op.drop_index("ix_lock_events_key_id_at", table_name="lock_events")
    op.rename_table("lock_events", "lock_events_before")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE lock_events_before RENAME CONSTRAINT pk_lock_events TO pk_lock_events_before")


def _create_events(key: tuple[str, ...], **options: Any) -> None:
    op.create_table(
        "lock_events",
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("command_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_lock_events")),
        **options,
    )
    op.create_index("ix_lock_events_key_id_at", "lock_events", ["key_id", "at"])


def _create_months() -> None:
    """A partition for each month from the oldest event to two months from now, and a net for everything else."""
    oldest, newest = op.get_bind().execute(
        sa.text("SELECT min(received_at), max(received_at) FROM lock_events_before")
    ).one()  # fmt: skip
    now = datetime.now(UTC)
    month = _number(min(now, oldest or now))
    last = max(_number(now) + MONTHS_AHEAD, _number(newest or now))
    op.execute("CREATE TABLE lock_events_rest PARTITION OF lock_events DEFAULT")
    for number in range(month, last + 1):
        op.execute(
            f"CREATE TABLE lock_events_y{number // 12:04d}m{number % 12 + 1:02d} PARTITION OF lock_events "
            f"FOR VALUES FROM ('{_first(number)}') TO ('{_first(number + 1)}')"
        )
    op.execute("CREATE INDEX brin_lock_events_received_at ON lock_events USING brin (received_at)")


def _number(moment: datetime) -> int:
    moment = moment.astimezone(UTC)
    return moment.year * 12 + moment.month - 1


def _first(number: int) -> str:
    return f"{number // 12:04d}-{number % 12 + 1:02d}-01 00:00:00+00"


def _take_events_back() -> None:
    columns = "lock_id, seq, at, kind, key_id, command_id, text, hash, late, received_at"
    op.execute(f"INSERT INTO lock_events ({columns}) SELECT {columns} FROM lock_events_before")
    op.drop_table("lock_events_before")
