"""Create the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_audit_checkpoints")),
    )
    op.create_table(
        "audit_leaves",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("actor_badge", sa.String(length=40), nullable=True),
        sa.Column("role", sa.String(length=40), nullable=True),
        sa.Column("office", sa.String(length=120), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("case_ref", sa.String(length=120), nullable=True),
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("object_kind", sa.String(length=40), nullable=True),
        sa.Column("object_id", sa.String(length=120), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("request_id", sa.String(length=120), nullable=True),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_leaves")),
        sa.UniqueConstraint("seq", name=op.f("uq_audit_leaves_seq")),
    )
    with op.batch_alter_table("audit_leaves", schema=None) as batch_op:
        batch_op.create_index("ix_audit_leaves_actor_id_at", ["actor_id", "at"], unique=False)
        batch_op.create_index("ix_audit_leaves_subject_id_at", ["subject_id", "at"], unique=False)

    op.create_table(
        "data_keys",
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kek_id", sa.String(length=120), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_data_keys")),
    )
    op.create_table(
        "dwellings",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("division", sa.String(length=40), nullable=False),
        sa.Column("division_version", sa.String(length=40), nullable=False),
        sa.Column("province", sa.String(length=120), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("county", sa.String(length=120), nullable=False),
        sa.Column("street", sa.String(length=120), nullable=False),
        sa.Column("village", sa.String(length=120), nullable=False),
        sa.Column("road", sa.String(length=120), nullable=False),
        sa.Column("door_no", sa.String(length=40), nullable=False),
        sa.Column("building", sa.String(length=120), nullable=False),
        sa.Column("known_rental", sa.Boolean(), nullable=False),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dwellings")),
        sa.UniqueConstraint(
            "division", "road", "door_no", "building", name=op.f("uq_dwellings_division_road_door_no_building")
        ),
    )
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_dwellings_division"), ["division"], unique=False)

    op.create_table(
        "lock_anomalies",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lock_anomalies")),
    )
    with op.batch_alter_table("lock_anomalies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_lock_anomalies_lock_id"), ["lock_id"], unique=False)

    op.create_table(
        "lock_checkpoints",
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("lock_id", "seq", name=op.f("pk_lock_checkpoints")),
    )
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
        sa.PrimaryKeyConstraint("lock_id", "seq", name=op.f("pk_lock_events")),
    )
    with op.batch_alter_table("lock_events", schema=None) as batch_op:
        batch_op.create_index("ix_lock_events_key_id_at", ["key_id", "at"], unique=False)

    op.create_table(
        "login_codes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("phone_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("message_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_codes")),
    )
    with op.batch_alter_table("login_codes", schema=None) as batch_op:
        batch_op.create_index("ix_login_codes_phone_token", ["phone_token", "sent_at"], unique=False)

    op.create_table(
        "officers",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("login", sa.String(length=120), nullable=False),
        sa.Column("display_name", sa.String(length=120), nullable=False),
        sa.Column("badge", sa.String(length=40), nullable=False),
        sa.Column("office", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("totp_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("totp_last_step", sa.Integer(), nullable=False),
        sa.Column("failed_tries", sa.Integer(), nullable=False),
        sa.Column("locked_until", UtcDateTime(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "role IN ('officer', 'grid_worker', 'reviewer', 'supervisor', 'auditor', 'window_clerk')",
            name=op.f("ck_officers_role"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officers")),
        sa.UniqueConstraint("badge", name=op.f("uq_officers_badge")),
        sa.UniqueConstraint("login", name=op.f("uq_officers_login")),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("destination", sa.String(length=40), nullable=False),
        sa.Column("aggregate_id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("available_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(), nullable=True),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.Column("parked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("destination IN ('lock', 'registry', 'sms')", name=op.f("ck_outbox_destination")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_aggregate", ["destination", "aggregate_id", "id"], unique=False)
        batch_op.create_index(
            "ix_outbox_open",
            ["destination", "available_at"],
            unique=False,
            sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        )

    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("name_latin_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_type", sa.String(length=40), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("birth_on_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sex", sa.String(length=40), nullable=False),
        sa.Column("nationality", sa.String(length=40), nullable=False),
        sa.Column("hukou_division", sa.String(length=40), nullable=True),
        sa.Column("identity_state", sa.String(length=40), nullable=False),
        sa.Column("identity_review_due_at", UtcDateTime(), nullable=True),
        sa.Column("guardian_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("id_type IN ('111', '414', '511', '516', '551', '553')", name=op.f("ck_persons_id_type")),
        sa.CheckConstraint(
            "identity_state IN ('none', 'attested', 'verified')", name=op.f("ck_persons_identity_state")
        ),
        sa.CheckConstraint("sex IN ('male', 'female', 'unknown')", name=op.f("ck_persons_sex")),
        sa.ForeignKeyConstraint(["guardian_id"], ["persons.id"], name=op.f("fk_persons_guardian_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.create_index("uq_persons_id_number_token", ["id_type", "id_number_token"], unique=True)

    op.create_table(
        "registry_contacts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("reached_at", UtcDateTime(), nullable=True),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("failure", sa.String(length=120), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_registry_contacts_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_contacts")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("phone_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("language", sa.String(length=40), nullable=False),
        sa.Column("elder_mode", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_accounts_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("person_id", name=op.f("uq_accounts_person_id")),
        sa.UniqueConstraint("phone_token", name=op.f("uq_accounts_phone_token")),
    )
    op.create_table(
        "officer_sessions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("officer_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=True),
        sa.Column("case_ref", sa.String(length=120), nullable=True),
        sa.Column("purpose_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("stepped_up_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_officer_sessions_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer_sessions")),
    )
    with op.batch_alter_table("officer_sessions", schema=None) as batch_op:
        batch_op.create_index("ix_officer_sessions_officer_id", ["officer_id"], unique=False)

    op.create_table(
        "units",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dwelling_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("public_number", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("space_kind", sa.String(length=40), nullable=False),
        sa.Column("usable_area_m2", sa.Double(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("landlord_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "space_kind IN ('whole_home', 'bedroom', 'living_room', 'kitchen', 'toilet', 'balcony', 'corridor', 'basement_store', 'garage')",
            name=op.f("ck_units_space_kind"),
        ),
        sa.CheckConstraint("capacity >= 1", name=op.f("ck_units_capacity")),
        sa.CheckConstraint("usable_area_m2 > 0", name=op.f("ck_units_area")),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwellings.id"], name=op.f("fk_units_dwelling_id")),
        sa.ForeignKeyConstraint(["landlord_id"], ["persons.id"], name=op.f("fk_units_landlord_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("dwelling_id", "label", name=op.f("uq_units_dwelling_id_label")),
        sa.UniqueConstraint("public_number", name=op.f("uq_units_public_number")),
    )
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_units_dwelling_id"), ["dwelling_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_units_landlord_id"), ["landlord_id"], unique=False)

    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("text_version", sa.String(length=40), nullable=False),
        sa.Column("text_hash", sa.String(length=120), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("withdrawn_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("purpose IN ('registration_notice', 'face_check')", name=op.f("ck_consents_purpose")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.create_index("ix_consents_account_id_purpose", ["account_id", "purpose"], unique=False)

    op.create_table(
        "identity_challenges",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("session_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("nonce_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("document_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_identity_challenges_account_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_identity_challenges_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_challenges")),
    )
    with op.batch_alter_table("identity_challenges", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_identity_challenges_account_id"), ["account_id"], unique=False)

    op.create_table(
        "leases",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("landlord_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("alias", sa.String(length=120), nullable=False),
        sa.Column("named_name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("named_id_type", sa.String(length=40), nullable=False),
        sa.Column("named_id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("named_id_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("named_phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("text_hash", sa.String(length=120), nullable=True),
        sa.Column("rent_cents", sa.Integer(), nullable=True),
        sa.Column("deposit_cents", sa.Integer(), nullable=True),
        sa.Column("filing_no", sa.String(length=120), nullable=True),
        sa.Column("landlord_ended_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('whole', 'room', 'bed')", name=op.f("ck_leases_kind")),
        sa.CheckConstraint(
            "named_id_type IN ('111', '414', '511', '516', '551', '553')", name=op.f("ck_leases_named_id_type")
        ),
        sa.CheckConstraint("state IN ('active', 'ended', 'cancelled')", name=op.f("ck_leases_state")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_leases_dates")),
        sa.ForeignKeyConstraint(["landlord_id"], ["persons.id"], name=op.f("fk_leases_landlord_id")),
        sa.ForeignKeyConstraint(["tenant_id"], ["persons.id"], name=op.f("fk_leases_tenant_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_leases_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
    )
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leases_landlord_id"), ["landlord_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_leases_tenant_id"), ["tenant_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_leases_unit_id"), ["unit_id"], unique=False)

    op.create_table(
        "locks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("serial", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.JSON(), nullable=False),
        sa.Column("claim_code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("mqtt_password_hash", sa.String(), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("claimed_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("claimed_at", UtcDateTime(), nullable=True),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("list_version", sa.Integer(), nullable=False),
        sa.Column("command_counter", sa.BigInteger(), nullable=False),
        sa.Column("reported_list_version", sa.Integer(), nullable=False),
        sa.Column("reported_epoch", sa.Integer(), nullable=False),
        sa.Column("reported_at", UtcDateTime(), nullable=True),
        sa.Column("presence", sa.String(length=40), nullable=False),
        sa.Column("session_id", sa.String(length=120), nullable=True),
        sa.Column("boot_id", sa.String(length=120), nullable=True),
        sa.Column("born_at", UtcDateTime(), nullable=True),
        sa.Column("last_seen_at", UtcDateTime(), nullable=True),
        sa.Column("firmware", sa.String(length=120), nullable=True),
        sa.Column("battery_percent", sa.Integer(), nullable=True),
        sa.Column("signal_dbm", sa.Integer(), nullable=True),
        sa.Column("clock_quality", sa.String(length=40), nullable=True),
        sa.Column("door_state", sa.String(length=40), nullable=True),
        sa.Column("alarm", sa.String(length=120), nullable=True),
        sa.Column("stored_seq", sa.Integer(), nullable=False),
        sa.Column("stored_head", sa.LargeBinary(length=32), nullable=True),
        sa.Column("checked_seq", sa.Integer(), nullable=False),
        sa.Column("replay_asked_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("presence IN ('never', 'online', 'sleeping', 'offline')", name=op.f("ck_locks_presence")),
        sa.ForeignKeyConstraint(["claimed_by"], ["persons.id"], name=op.f("fk_locks_claimed_by")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_locks_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locks")),
        sa.UniqueConstraint("claim_code_hash", name=op.f("uq_locks_claim_code_hash")),
        sa.UniqueConstraint("serial", name=op.f("uq_locks_serial")),
    )
    with op.batch_alter_table("locks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_locks_shard"), ["shard"], unique=False)
        batch_op.create_index(
            "uq_locks_unit_in_use",
            ["unit_id"],
            unique=True,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("once", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notices_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("once", name=op.f("uq_notices_once")),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index("ix_notices_account_id_at", ["account_id", "at"], unique=False)

    op.create_table(
        "remembered_requests",
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("operation", sa.String(length=120), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_remembered_requests_account_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_remembered_requests")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("previous_secret_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("user_agent", sa.String(length=120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('page', 'api')", name=op.f("ck_sessions_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sessions_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.create_index("ix_sessions_account_id", ["account_id"], unique=False)

    op.create_table(
        "unit_claims",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("right_kind", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.String(length=120), nullable=False),
        sa.Column("mandate_ends_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "right_kind IN ('owner', 'co_owner', 'sublet_agreed', 'mandate')", name=op.f("ck_unit_claims_right_kind")
        ),
        sa.CheckConstraint("state IN ('accepted', 'contested', 'refused', 'ended')", name=op.f("ck_unit_claims_state")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_unit_claims_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_claims_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit_claims")),
    )
    with op.batch_alter_table("unit_claims", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_claims_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_unit_claims_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index(
            "uq_unit_claims_one_accepted",
            ["unit_id"],
            unique=True,
            sqlite_where=sa.text("state = 'accepted'"),
            postgresql_where=sa.text("state = 'accepted'"),
        )

    op.create_table(
        "identity_checks",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("challenge_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("consent_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("provider", sa.String(length=120), nullable=False),
        sa.Column("decision", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("score_bucket", sa.String(length=40), nullable=True),
        sa.Column("pipeline_version", sa.String(length=120), nullable=True),
        sa.Column("operator_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "method IN ('document', 'face', 'window', 'live_video', 'network_identity', 'attestation')",
            name=op.f("ck_identity_checks_method"),
        ),
        sa.CheckConstraint("outcome IN ('pass', 'fail', 'manual')", name=op.f("ck_identity_checks_outcome")),
        sa.ForeignKeyConstraint(
            ["challenge_id"], ["identity_challenges.id"], name=op.f("fk_identity_checks_challenge_id")
        ),
        sa.ForeignKeyConstraint(["consent_id"], ["consents.id"], name=op.f("fk_identity_checks_consent_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_identity_checks_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_checks")),
        sa.UniqueConstraint("challenge_id", name=op.f("uq_identity_checks_challenge_id")),
    )
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.create_index("ix_identity_checks_person_id", ["person_id"], unique=False)

    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lease_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("token_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_token", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("accepted_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('pending', 'accepted', 'cancelled')", name=op.f("ck_invitations_state")),
        sa.ForeignKeyConstraint(["accepted_by"], ["accounts.id"], name=op.f("fk_invitations_accepted_by")),
        sa.ForeignKeyConstraint(["lease_id"], ["leases.id"], name=op.f("fk_invitations_lease_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitations_lease_id"), ["lease_id"], unique=False)

    op.create_table(
        "keys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("lease_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("holder_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("holder_account_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("phone_jwk", sa.JSON(), nullable=True),
        sa.Column("phone_thumbprint", sa.String(length=120), nullable=True),
        sa.Column("rights", sa.JSON(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("activated_at", UtcDateTime(), nullable=True),
        sa.Column("suspended_at", UtcDateTime(), nullable=True),
        sa.Column("suspended_by", sa.String(length=40), nullable=True),
        sa.Column("revoke_ground", sa.String(length=40), nullable=True),
        sa.Column("revoke_asked_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.Column("credential_ends_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('occupant', 'visitor')", name=op.f("ck_keys_kind")),
        sa.CheckConstraint(
            "state IN ('draft', 'invited', 'claimed', 'active', 'suspended', 'revoking', 'revoked')",
            name=op.f("ck_keys_state"),
        ),
        sa.CheckConstraint("suspended_by IN ('tenant', 'landlord')", name=op.f("ck_keys_suspended_by")),
        sa.ForeignKeyConstraint(["holder_account_id"], ["accounts.id"], name=op.f("fk_keys_holder_account_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["persons.id"], name=op.f("fk_keys_holder_id")),
        sa.ForeignKeyConstraint(["lease_id"], ["leases.id"], name=op.f("fk_keys_lease_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_keys_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
    )
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_keys_holder_account_id"), ["holder_account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_keys_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_keys_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index(
            "uq_keys_one_per_lease",
            ["lease_id"],
            unique=True,
            sqlite_where=sa.text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
            postgresql_where=sa.text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
        )

    op.create_table(
        "registrations",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lease_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("place_type", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("move_in_on", sa.Date(), nullable=False),
        sa.Column("planned_end_on", sa.Date(), nullable=True),
        sa.Column("landlord_leg", sa.String(length=40), nullable=False),
        sa.Column("landlord_due_on", sa.Date(), nullable=True),
        sa.Column("landlord_reported_at", UtcDateTime(), nullable=True),
        sa.Column("landlord_receipt_no", sa.String(length=120), nullable=True),
        sa.Column("landlord_receipt_token", sa.String(), nullable=True),
        sa.Column("tenant_leg", sa.String(length=40), nullable=False),
        sa.Column("tenant_due_on", sa.Date(), nullable=True),
        sa.Column("draft_expires_at", UtcDateTime(), nullable=True),
        sa.Column("declared_at", UtcDateTime(), nullable=True),
        sa.Column("declared_by", sa.String(length=40), nullable=True),
        sa.Column("notice_version", sa.String(length=40), nullable=True),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("exemption", sa.String(length=40), nullable=True),
        sa.Column("residence", sa.String(length=40), nullable=False),
        sa.Column("moved_out_on", sa.Date(), nullable=True),
        sa.Column("moved_out_reason", sa.String(length=40), nullable=True),
        sa.Column("moved_out_by", sa.String(length=40), nullable=True),
        sa.Column("landlord_end_reported_at", UtcDateTime(), nullable=True),
        sa.Column("void_reason", sa.String(length=40), nullable=True),
        sa.Column("disputed", sa.Boolean(), nullable=False),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("registry_state", sa.String(length=40), nullable=False),
        sa.Column("registry_version", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_at", UtcDateTime(), nullable=True),
        sa.Column("receipt_no", sa.String(length=120), nullable=True),
        sa.Column("receipt_token", sa.String(), nullable=True),
        sa.Column("checkout_receipt_no", sa.String(length=120), nullable=True),
        sa.Column("checkout_receipt_token", sa.String(), nullable=True),
        sa.Column("registry_errors", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "(residence = 'moved_out') = (moved_out_on IS NOT NULL)", name=op.f("ck_registrations_moved_out_on")
        ),
        sa.CheckConstraint(
            "(tenant_leg = 'declared') = (declared_at IS NOT NULL)", name=op.f("ck_registrations_declared_at")
        ),
        sa.CheckConstraint("landlord_leg IN ('due', 'reported')", name=op.f("ck_registrations_landlord_leg")),
        sa.CheckConstraint(
            "registry_state <> 'accepted' OR receipt_token IS NOT NULL", name=op.f("ck_registrations_receipt")
        ),
        sa.CheckConstraint(
            "registry_state IN ('unsent', 'sent', 'accepted', 'rejected')", name=op.f("ck_registrations_registry_state")
        ),
        sa.CheckConstraint("residence IN ('living', 'moved_out', 'voided')", name=op.f("ck_registrations_residence")),
        sa.CheckConstraint(
            "scope IN ('in_scope', 'exempt', 'out_of_scope', 'foreign')", name=op.f("ck_registrations_scope")
        ),
        sa.CheckConstraint("tenant_leg IN ('invited', 'draft', 'declared')", name=op.f("ck_registrations_tenant_leg")),
        sa.ForeignKeyConstraint(["lease_id"], ["leases.id"], name=op.f("fk_registrations_lease_id")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_registrations_person_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_registrations_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
    )
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registrations_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_registrations_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index("uq_registrations_lease_id", ["lease_id"], unique=True)
        batch_op.create_index(
            "uq_registrations_one_living",
            ["person_id", "unit_id"],
            unique=True,
            sqlite_where=sa.text("residence = 'living'"),
            postgresql_where=sa.text("residence = 'living'"),
        )

    op.create_table(
        "cases",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("office", sa.String(length=120), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("assigned_to", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("decision", sa.String(length=40), nullable=True),
        sa.Column("decision_reason", sa.String(length=40), nullable=True),
        sa.Column("decided_by", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("assigned_at", UtcDateTime(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('identity_review', 'unit_claim', 'dispute', 'leg_difference', 'overdue_registration', 'registry_rejection', 'data_question', 'help_request', 'resident_report')",
            name=op.f("ck_cases_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('reported', 'routed', 'assigned', 'handled', 'checked', 'answered', 'rated')",
            name=op.f("ck_cases_state"),
        ),
        sa.ForeignKeyConstraint(["assigned_to"], ["officers.id"], name=op.f("fk_cases_assigned_to")),
        sa.ForeignKeyConstraint(["decided_by"], ["officers.id"], name=op.f("fk_cases_decided_by")),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_cases_person_id")),
        sa.ForeignKeyConstraint(["registration_id"], ["registrations.id"], name=op.f("fk_cases_registration_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_cases_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("reference", name=op.f("uq_cases_reference")),
    )
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.create_index("ix_cases_area_state", ["area", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_cases_person_id"), ["person_id"], unique=False)

    op.create_table(
        "commands",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("account_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.String(length=120), nullable=True),
        sa.Column("event_seq", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'sent', 'accepted', 'executed', 'refused', 'expired', 'unknown')",
            name=op.f("ck_commands_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_commands_account_id")),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_commands_key_id")),
        sa.ForeignKeyConstraint(["lock_id"], ["locks.id"], name=op.f("fk_commands_lock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sa.UniqueConstraint("account_id", "idempotency_key", name=op.f("uq_commands_account_id_idempotency_key")),
    )
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_commands_key_id"), ["key_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_commands_lock_id"), ["lock_id"], unique=False)
        batch_op.create_index("ix_commands_state_expires_at", ["state", "expires_at"], unique=False)

    op.create_table(
        "key_doors",
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lock_id", sa.String(length=64), nullable=False),
        sa.Column("desired_version", sa.Integer(), nullable=False),
        sa.Column("reported_version", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("exposure_until", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_key_doors_key_id")),
        sa.ForeignKeyConstraint(["lock_id"], ["locks.id"], name=op.f("fk_key_doors_lock_id")),
        sa.PrimaryKeyConstraint("key_id", "lock_id", name=op.f("pk_key_doors")),
    )
    with op.batch_alter_table("key_doors", schema=None) as batch_op:
        batch_op.create_index("ix_key_doors_lock_id", ["lock_id"], unique=False)

    op.create_table(
        "registration_changes",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor_kind", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("before_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_registration_changes_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registration_changes")),
    )
    with op.batch_alter_table("registration_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_registration_changes_registration_id"), ["registration_id"], unique=False)

    op.create_table(
        "registry_attempts",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(always=False),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("registration_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("op", sa.String(length=40), nullable=False),
        sa.Column("leg", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("payload_hash", sa.String(length=120), nullable=False),
        sa.Column("idempotency_key", sa.String(length=120), nullable=False),
        sa.Column("remote_batch_id", sa.String(length=120), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("receipt_no", sa.String(length=120), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("leg IN ('TENANT', 'LANDLORD')", name=op.f("ck_registry_attempts_leg")),
        sa.CheckConstraint("op IN ('UPSERT', 'AMEND', 'CHECKOUT', 'VOID')", name=op.f("ck_registry_attempts_op")),
        sa.CheckConstraint(
            "outcome IN ('open', 'accepted', 'rejected', 'failed', 'superseded', 'alarm')",
            name=op.f("ck_registry_attempts_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["registrations.id"], name=op.f("fk_registry_attempts_registration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_attempts")),
    )
    with op.batch_alter_table("registry_attempts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_registry_attempts_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("outcome = 'open'"),
            postgresql_where=sa.text("outcome = 'open'"),
        )
        batch_op.create_index("ix_registry_attempts_outbox_id", ["outbox_id", "id"], unique=False)
        batch_op.create_index("ix_registry_attempts_registration_id", ["registration_id", "id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("registry_attempts", schema=None) as batch_op:
        batch_op.drop_index("ix_registry_attempts_registration_id")
        batch_op.drop_index("ix_registry_attempts_outbox_id")
        batch_op.drop_index(
            "ix_registry_attempts_open",
            sqlite_where=sa.text("outcome = 'open'"),
            postgresql_where=sa.text("outcome = 'open'"),
        )

    op.drop_table("registry_attempts")
    with op.batch_alter_table("registration_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_registration_changes_registration_id"))

    op.drop_table("registration_changes")
    with op.batch_alter_table("key_doors", schema=None) as batch_op:
        batch_op.drop_index("ix_key_doors_lock_id")

    op.drop_table("key_doors")
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.drop_index("ix_commands_state_expires_at")
        batch_op.drop_index(batch_op.f("ix_commands_lock_id"))
        batch_op.drop_index(batch_op.f("ix_commands_key_id"))

    op.drop_table("commands")
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_cases_person_id"))
        batch_op.drop_index("ix_cases_area_state")

    op.drop_table("cases")
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_registrations_one_living",
            sqlite_where=sa.text("residence = 'living'"),
            postgresql_where=sa.text("residence = 'living'"),
        )
        batch_op.drop_index("uq_registrations_lease_id")
        batch_op.drop_index(batch_op.f("ix_registrations_unit_id"))
        batch_op.drop_index(batch_op.f("ix_registrations_person_id"))

    op.drop_table("registrations")
    with op.batch_alter_table("keys", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_keys_one_per_lease",
            sqlite_where=sa.text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
            postgresql_where=sa.text("kind = 'occupant' AND state NOT IN ('revoking', 'revoked')"),
        )
        batch_op.drop_index(batch_op.f("ix_keys_unit_id"))
        batch_op.drop_index(batch_op.f("ix_keys_holder_id"))
        batch_op.drop_index(batch_op.f("ix_keys_holder_account_id"))

    op.drop_table("keys")
    with op.batch_alter_table("invitations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitations_lease_id"))

    op.drop_table("invitations")
    with op.batch_alter_table("identity_checks", schema=None) as batch_op:
        batch_op.drop_index("ix_identity_checks_person_id")

    op.drop_table("identity_checks")
    with op.batch_alter_table("unit_claims", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_unit_claims_one_accepted",
            sqlite_where=sa.text("state = 'accepted'"),
            postgresql_where=sa.text("state = 'accepted'"),
        )
        batch_op.drop_index(batch_op.f("ix_unit_claims_unit_id"))
        batch_op.drop_index(batch_op.f("ix_unit_claims_person_id"))

    op.drop_table("unit_claims")
    with op.batch_alter_table("sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_sessions_account_id")

    op.drop_table("sessions")
    op.drop_table("remembered_requests")
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.drop_index("ix_notices_account_id_at")

    op.drop_table("notices")
    with op.batch_alter_table("locks", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_locks_unit_in_use",
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_locks_shard"))

    op.drop_table("locks")
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leases_unit_id"))
        batch_op.drop_index(batch_op.f("ix_leases_tenant_id"))
        batch_op.drop_index(batch_op.f("ix_leases_landlord_id"))

    op.drop_table("leases")
    with op.batch_alter_table("identity_challenges", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_identity_challenges_account_id"))

    op.drop_table("identity_challenges")
    with op.batch_alter_table("consents", schema=None) as batch_op:
        batch_op.drop_index("ix_consents_account_id_purpose")

    op.drop_table("consents")
    with op.batch_alter_table("units", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_units_landlord_id"))
        batch_op.drop_index(batch_op.f("ix_units_dwelling_id"))

    op.drop_table("units")
    with op.batch_alter_table("officer_sessions", schema=None) as batch_op:
        batch_op.drop_index("ix_officer_sessions_officer_id")

    op.drop_table("officer_sessions")
    op.drop_table("accounts")
    op.drop_table("registry_contacts")
    with op.batch_alter_table("persons", schema=None) as batch_op:
        batch_op.drop_index("uq_persons_id_number_token")

    op.drop_table("persons")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_open",
            sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        )
        batch_op.drop_index("ix_outbox_aggregate")

    op.drop_table("outbox")
    op.drop_table("officers")
    with op.batch_alter_table("login_codes", schema=None) as batch_op:
        batch_op.drop_index("ix_login_codes_phone_token")

    op.drop_table("login_codes")
    with op.batch_alter_table("lock_events", schema=None) as batch_op:
        batch_op.drop_index("ix_lock_events_key_id_at")

    op.drop_table("lock_events")
    op.drop_table("lock_checkpoints")
    with op.batch_alter_table("lock_anomalies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_lock_anomalies_lock_id"))

    op.drop_table("lock_anomalies")
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dwellings_division"))

    op.drop_table("dwellings")
    op.drop_table("data_keys")
    with op.batch_alter_table("audit_leaves", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_leaves_subject_id_at")
        batch_op.drop_index("ix_audit_leaves_actor_id_at")

    op.drop_table("audit_leaves")
    op.drop_table("audit_checkpoints")
