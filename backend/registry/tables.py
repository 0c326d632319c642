"""The registry's tables. Moments are RFC 3339 text in UTC, so that they sort and read the same on every database."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, Integer, MetaData, String, Table, UniqueConstraint

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

batches = Table(
    "batches",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),  # the order in which batches came
    Column("id", String(40), nullable=False, unique=True),
    Column("sender", String(64), nullable=False),
    Column("divisions", JSON, nullable=False),  # where the sender might report when the batch came
    Column("idempotency_key", String(128), nullable=False),
    Column("body_hash", String(64), nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("not_before", String(24), nullable=False),
    Column("state", String(12), nullable=False),
    Column("finished_at", String(24)),
    UniqueConstraint("sender", "idempotency_key"),
    Index("ix_batches_state_number", "state", "number"),
)

# `item` is emptied once the item is judged: what was accepted lives on in `legs`, nothing else is kept
batch_items = Table(
    "batch_items",
    metadata,
    Column("batch_number", Integer, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("record_id", String(36), nullable=False),
    Column("record_version", Integer, nullable=False),
    Column("op", String(10), nullable=False),
    Column("leg", String(10), nullable=False),
    Column("item", JSON(none_as_null=True)),
    Column("result", JSON(none_as_null=True)),
    Index("ix_batch_items_record_id", "record_id"),
)

records = Table(
    "records",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("sender", String(64), nullable=False),
    Column("state", String(10), nullable=False),
    Column("town", String(9), nullable=False),
    Column("unit_no", String(40), nullable=False),
    Column("person_hash", String(64), nullable=False, index=True),
    Column("updated_at", String(24), nullable=False, index=True),
    # how often the registry itself corrected the record, and what it holds instead of the sender's word;
    # the sender's own versions, hashes and receipts stay as they were filed
    Column("revision", Integer, nullable=False, server_default="0"),
    Column("corrected", JSON, nullable=False, server_default="{}"),
)

# the present version of each part of a record: TENANT and LANDLORD are its legs, CHECKOUT and VOID its ends
legs = Table(
    "legs",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("part", String(10), primary_key=True),
    Column("op", String(10), nullable=False),
    Column("leg", String(10), nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("effective_at", String(24), nullable=False),
    Column("declared_at", String(24), nullable=False),
    Column("declared_day", String(10), nullable=False, index=True),
    Column("accepted_at", String(24), nullable=False),
    Column("receipt_no", String(40), nullable=False, unique=True),
    Column("receipt_sig", String(2000), nullable=False),
)

# every version ever accepted, once: the key makes a second time impossible
versions = Table(
    "versions",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("leg", String(10), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("op", String(10), nullable=False),
    Column("payload_hash", String(64), nullable=False),
    Column("receipt_no", String(40), nullable=False, unique=True),
    Column("accepted_at", String(24), nullable=False),
)

sequences = Table(
    "sequences",
    metadata,
    Column("town", String(9), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("last", Integer, nullable=False),
)

changes = Table(
    "changes",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=True),
    Column("sender", String(64), nullable=False, index=True),
    Column("record_id", String(36), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("at", String(24), nullable=False),
    Column("fields", JSON, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),
)

# how far each sender has read its changes: what lies behind it is waiting to be fetched
cursors = Table(
    "cursors",
    metadata,
    Column("sender", String(64), primary_key=True),
    Column("cursor", Integer, nullable=False),
    Column("asked_at", String(24), nullable=False),
)

reads = Table(
    "reads",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("record_id", String(36), nullable=False, index=True),
    Column("at", String(24), nullable=False),
    Column("office", String(120), nullable=False),
    Column("badge", String(40), nullable=False),
    Column("purpose", String(120), nullable=False),
)

codes = Table(
    "codes",
    metadata,
    Column("table_name", String(40), primary_key=True),
    Column("code", String(40), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("zh", String(120), nullable=False),
    Column("en", String(120), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("valid_until", String(10)),
    Column("traits", JSON, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("number_hash", String(64), primary_key=True),
    Column("name", String(50), nullable=False),
)

faults = Table(
    "faults",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("params", JSON, nullable=False),
    Column("times_left", Integer),
)
