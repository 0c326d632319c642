"""The other ways of the identity check: appointments, network identity, guardians, the document's own state"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_LIVE = sa.text("state IN ('asked', 'booked')")


def upgrade() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("way", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("video_link", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("way IN ('window', 'live_video')", name=op.f("ck_appointments_way")),
        sa.CheckConstraint(
            "state IN ('asked', 'booked', 'kept', 'missed', 'cancelled')", name=op.f("ck_appointments_state")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_appointments_times")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_appointments_case_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_appointments_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.create_index("ix_appointments_area_starts_at", ["area", "starts_at"], unique=False)
        batch_op.create_index("ix_appointments_case_id", ["case_id"], unique=False)
        batch_op.create_index(
            "uq_appointments_living", ["case_id"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE
        )
        batch_op.create_index(
            "uq_appointments_place", ["area", "starts_at", "place"], unique=True, sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        )  # fmt: skip

    op.create_table(
        "network_identity_requests",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id_number_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('verified', 'refused', 'expired')", name=op.f("ck_network_identity_requests_outcome")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_network_identity_requests_account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_network_identity_requests_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_network_identity_requests")),
    )
    with op.batch_alter_table("network_identity_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_network_identity_requests_account_id"), ["account_id"], unique=False)

    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("guardian_relation", sa.String(length=40), nullable=True))
        batch_op.add_column(
            sa.Column("document_state", sa.String(length=40), nullable=False, server_default="unasked")
        )
        batch_op.add_column(sa.Column("document_ask_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("document_tries", sa.Integer(), nullable=False, server_default="0"))
        batch_op.create_check_constraint(
            "document_state", "document_state IN ('unasked', 'matched', 'unmatched', 'unavailable')"
        )
        batch_op.create_index("ix_persons_guardian_id", ["guardian_id"], unique=False)
    op.execute(
        "UPDATE persons SET document_state = 'matched' WHERE EXISTS (SELECT 1 FROM identity_checks WHERE "
        "identity_checks.person_id = persons.id AND identity_checks.method = 'document' "
        "AND identity_checks.outcome = 'pass')"
    )
    # What was entered while the authority was away is asked about by the worker from now on.
    op.execute(
        "UPDATE persons SET document_state = 'unavailable', document_ask_at = created_at "
        "WHERE document_state = 'unasked'"
    )

    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.add_column(sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=True))
        batch_op.create_foreign_key(batch_op.f("fk_consents_subject_id"), "persons", ["subject_id"], ["id"])

    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("touched_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("escalated_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_column("escalated_at")
        batch_op.drop_column("touched_at")

    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_consents_subject_id"), type_="foreignkey")
        batch_op.drop_column("subject_id")

    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_index("ix_persons_guardian_id")
        batch_op.drop_constraint(batch_op.f("ck_persons_document_state"), type_="check")
        batch_op.drop_column("document_tries")
        batch_op.drop_column("document_ask_at")
        batch_op.drop_column("document_state")
        batch_op.drop_column("guardian_relation")

    with op.batch_alter_table("network_identity_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_network_identity_requests_account_id"))
    op.drop_table("network_identity_requests")

    with op.batch_alter_table("appointments", schema=None) as batch_op:
        batch_op.drop_index("uq_appointments_place")
        batch_op.drop_index("uq_appointments_living")
        batch_op.drop_index("ix_appointments_case_id")
        batch_op.drop_index("ix_appointments_area_starts_at")
    op.drop_table("appointments")
