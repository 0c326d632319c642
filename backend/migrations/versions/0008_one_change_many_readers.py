"""One change, many readers: agreements, the change feed, inbound changes"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_TABLES = ("inbound_changes", "deliveries", "feed_events", "sharing_interests", "data_sharing_agreements")


def upgrade() -> None:
    _limit_destinations(("lock", "registry", "sms", "office"))
    op.create_table(
        "data_sharing_agreements",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subscriber", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("office_zh", sa.String(length=120), nullable=False),
        sa.Column("office_en", sa.String(length=120), nullable=False),
        sa.Column("direction", sa.String(length=40), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("legal_basis", sa.String(length=40), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("webhook_url", sa.String(), nullable=True),
        sa.Column("batch_size", sa.Integer(), nullable=False),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("state_reason", sa.String(length=120), nullable=True),
        sa.Column("first_approver_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("first_approved_at", UtcDateTime(), nullable=True),
        sa.Column("second_approver_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("second_approved_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "delivery IN ('webhook', 'pull')",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_delivery"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'active', 'suspended', 'ended')",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_state"),
        ),
        sa.CheckConstraint(
            "batch_size BETWEEN 1 AND 100",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_batch_size"),
        ),
        sa.CheckConstraint(
            "first_approver_id IS NULL OR second_approver_id IS NULL OR first_approver_id <> second_approver_id",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_four_eyes"),
        ),
        sa.CheckConstraint(
            "ends_on >= starts_on", name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_dates")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'ended') OR (first_approver_id IS NOT NULL AND second_approver_id IS NOT NULL)",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_approved"),
        ),
        sa.CheckConstraint(
            "(delivery = 'webhook') = (webhook_url IS NOT NULL)",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_webhook"),
        ),
        sa.CheckConstraint(
            "direction IN ('out', 'in', 'both')",
            name=op.f("ck_data_sharing_agreements_ck_data_sharing_agreements_direction"),
        ),
        sa.ForeignKeyConstraint(
            ["first_approver_id"], ["officers.id"], name=op.f("fk_data_sharing_agreements_first_approver_id")
        ),
        sa.ForeignKeyConstraint(
            ["second_approver_id"], ["officers.id"], name=op.f("fk_data_sharing_agreements_second_approver_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_data_sharing_agreements")),
        sa.UniqueConstraint("subscriber", "version", name=op.f("uq_data_sharing_agreements_subscriber_version")),
    )
    op.create_index(
        "uq_data_sharing_agreements_one_in_force",
        "data_sharing_agreements",
        ["subscriber"],
        unique=True,
        sqlite_where=sa.text("state IN ('active', 'suspended')"),
        postgresql_where=sa.text("state IN ('active', 'suspended')"),
    )
    op.create_table(
        "sharing_interests",
        sa.Column("agreement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["data_sharing_agreements.id"], name=op.f("fk_sharing_interests_agreement_id")
        ),
        sa.PrimaryKeyConstraint("agreement_id", "kind", "area", name=op.f("pk_sharing_interests")),
    )
    op.create_index("ix_sharing_interests_kind", "sharing_interests", ["kind"], unique=False)
    op.create_table(
        "feed_events",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("object_kind", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "object_kind IN ('registration', 'lease', 'unit')", name=op.f("ck_feed_events_ck_feed_events_object_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feed_events")),
        sa.UniqueConstraint("sequence", name=op.f("uq_feed_events_sequence")),
    )
    op.create_index("ix_feed_events_object", "feed_events", ["object_kind", "object_id"], unique=False)
    op.create_index(
        "ix_feed_events_unnumbered",
        "feed_events",
        ["id"],
        unique=False,
        sqlite_where=sa.text("sequence IS NULL"),
        postgresql_where=sa.text("sequence IS NULL"),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("agreement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("event_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('open', 'delivered', 'withheld', 'parked')", name=op.f("ck_deliveries_ck_deliveries_outcome")
        ),
        sa.ForeignKeyConstraint(["event_id"], ["feed_events.id"], name=op.f("fk_deliveries_event_id")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["data_sharing_agreements.id"], name=op.f("fk_deliveries_agreement_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("agreement_id", "event_id", name=op.f("uq_deliveries_agreement_id_event_id")),
    )
    op.create_index("ix_deliveries_agreement_id_at", "deliveries", ["agreement_id", "at"], unique=False)
    op.create_table(
        "inbound_changes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("agreement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subscriber", sa.String(length=40), nullable=False),
        sa.Column("office_change_id", sa.String(length=120), nullable=False),
        sa.Column("body_hash", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("payload_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("lease_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("shown_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "state IN ('received', 'unmatched', 'matched', 'refused', 'shown', 'objected', 'counted')",
            name=op.f("ck_inbound_changes_ck_inbound_changes_state"),
        ),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_inbound_changes_person_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_inbound_changes_registration_id")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_inbound_changes_case_id")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["data_sharing_agreements.id"], name=op.f("fk_inbound_changes_agreement_id")
        ),
        sa.ForeignKeyConstraint(["lease_id"], ["leases.id"], name=op.f("fk_inbound_changes_lease_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_inbound_changes_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_changes")),
        sa.UniqueConstraint(
            "subscriber", "office_change_id", name=op.f("uq_inbound_changes_subscriber_office_change_id")
        ),
    )
    op.create_index("ix_inbound_changes_person_id", "inbound_changes", ["person_id"], unique=False)
    op.create_index("ix_inbound_changes_registration_id", "inbound_changes", ["registration_id"], unique=False)
    op.create_index("ix_inbound_changes_state", "inbound_changes", ["state", "received_at"], unique=False)


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)
    op.execute(sa.text("DELETE FROM outbox WHERE destination = 'office'"))
    _limit_destinations(("lock", "registry", "sms"))


def _limit_destinations(destinations: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{destination}'" for destination in destinations)
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_outbox_destination"), type_="check")
        batch_op.create_check_constraint(op.f("ck_outbox_destination"), f"destination IN ({listed})")
