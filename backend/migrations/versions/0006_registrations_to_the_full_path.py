"""Registrations to the full path: co-residents, representation, exemptions, foreigners, provenance, headcounts"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KINDS_BEFORE = (
    "identity_review",
    "unit_claim",
    "dispute",
    "leg_difference",
    "overdue_registration",
    "registry_rejection",
    "data_question",
    "help_request",
    "resident_report",
    "rebind",
)
_KINDS_ADDED = (
    "overdue_report",
    "overdue_check_out",
    "over_capacity",
    "headcount_differs",
    "void_request",
    "registry_difference",
    "registry_correction",
    "office_change",
    "visit",
)
_CHECKS = {
    "declared_by": "declared_by IN ('self', 'guardian', 'relative', 'window', 'paper')",
    "relation": "relation IN ('spouse', 'child', 'parent', 'grandparent', 'grandchild', 'sibling', 'other_relative', "
    "'other')",
    "representation": "representation IN ('elderly', 'disabled', 'ill')",
    "household": "(household_of_id IS NULL) = (relation IS NULL)",
}
_COLUMNS = (
    ("household_of_id", sa.Uuid(as_uuid=False)),
    ("relation", sa.String(length=40)),
    ("declarer_id", sa.Uuid(as_uuid=False)),
    ("representation", sa.String(length=40)),
    ("changed_on", sa.Date()),
    ("exempt_until", sa.Date()),
    ("foreign_due_at", UtcDateTime()),
    ("foreign_form_no", sa.String(length=40)),
    ("foreign_form_at", UtcDateTime()),
    ("foreign_done_at", UtcDateTime()),
)


def upgrade() -> None:
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        for name, kind in _COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_registrations_household_of_id"), "registrations", ["household_of_id"], ["id"]
        )
        batch_op.create_foreign_key(op.f("fk_registrations_declarer_id"), "persons", ["declarer_id"], ["id"])
        batch_op.create_index(op.f("ix_registrations_household_of_id"), ["household_of_id"], unique=False)
        for name, check in _CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_registrations_{name}"), check)
    _limit_case_kinds((*_KINDS_BEFORE, *_KINDS_ADDED))

    op.create_table(
        "field_sources",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("object_kind", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("field", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("notice_version", sa.String(length=40), nullable=True),
        sa.Column("actor_kind", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("earlier_sealed", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("object_kind IN ('person', 'registration')", name=op.f("ck_field_sources_object_kind")),
        sa.CheckConstraint(
            "source IN ('tenant', 'landlord', 'officer', 'document', 'registry', 'import', 'office', 'system')",
            name=op.f("ck_field_sources_source"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_sources")),
    )
    op.create_index("ix_field_sources_object", "field_sources", ["object_kind", "object_id", "field", "at"])
    op.create_table(
        "headcounts",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("unit_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("officer_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("case_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint("people >= 0", name=op.f("ck_headcounts_people")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_headcounts_unit_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_headcounts_officer_id")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_headcounts_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_headcounts")),
    )
    op.create_index("ix_headcounts_unit_id_at", "headcounts", ["unit_id", "at"])


def downgrade() -> None:
    op.drop_table("headcounts")
    op.drop_table("field_sources")
    added = ", ".join(f"'{kind}'" for kind in _KINDS_ADDED)
    op.execute(sa.text(f"DELETE FROM cases WHERE kind IN ({added})"))
    _limit_case_kinds(_KINDS_BEFORE)
    with op.batch_alter_table("registrations", schema=None) as batch_op:
        for name in _CHECKS:
            batch_op.drop_constraint(op.f(f"ck_registrations_{name}"), type_="check")
        batch_op.drop_index(op.f("ix_registrations_household_of_id"))
        batch_op.drop_constraint(op.f("fk_registrations_declarer_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_registrations_household_of_id"), type_="foreignkey")
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)


def _limit_case_kinds(kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_cases_kind"), type_="check")
        batch_op.create_check_constraint(op.f("ck_cases_kind"), f"kind IN ({listed})")
