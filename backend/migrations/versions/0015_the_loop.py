"""The loop: who reported, each step of a case, its check, answer and rating; whom to tell of a request for help"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_ID, _CODE = sa.Uuid(as_uuid=False), sa.String(length=40)
_OLD_KINDS = (
    *("identity_review", "unit_claim", "dispute", "leg_difference", "overdue_registration", "registry_rejection"),
    *("data_question", "help_request", "resident_report", "rebind", "overdue_report", "overdue_check_out"),
    *("over_capacity", "headcount_differs", "void_request", "registry_difference", "registry_correction"),
    *("office_change",),
)
_NEW_KINDS = ("unsafe_dwelling", "landlord_duty", "lock_trouble", "look_question")
_CHECKS = {
    "stars": "stars BETWEEN 1 AND 5",
    "four_eyes": "checked_by IS NULL OR checked_by <> decided_by",
}
_REPORTED = sa.text("reporter_id IS NOT NULL")


def upgrade() -> None:
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reporter_id", _ID, nullable=True))
        batch_op.add_column(sa.Column("call_back", sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column("checked_by", _ID, nullable=True))
        batch_op.add_column(sa.Column("answered_at", UtcDateTime(), nullable=True))
        batch_op.add_column(sa.Column("stars", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("stars_reason", _CODE, nullable=True))
        batch_op.add_column(sa.Column("reopened_at", UtcDateTime(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_cases_reporter_id"), "accounts", ["reporter_id"], ["id"])
        batch_op.create_foreign_key(op.f("fk_cases_checked_by"), "officers", ["checked_by"], ["id"])
        for name, check in _CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_cases_{name}"), check)
        _allow_kinds(batch_op, (*_OLD_KINDS, *_NEW_KINDS, "visit"))
    with op.batch_alter_table("cases", schema=None) as batch_op:
        batch_op.alter_column("call_back", server_default=None)
    op.create_index(
        "ix_cases_reporter_id", "cases", ["reporter_id"], sqlite_where=_REPORTED, postgresql_where=_REPORTED
    )
    _make_steps()
    op.create_table(
        "help_contacts",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("with_address", sa.Boolean(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_help_contacts_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_help_contacts")),
    )


def _make_steps() -> None:
    op.create_table(
        "case_steps",
        sa.Column("id", _ID, nullable=False),
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("action", _CODE, nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("actor", _CODE, nullable=False),
        sa.Column("officer_id", _ID, nullable=True),
        sa.Column("reason", _CODE, nullable=True),
        sa.Column("words_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_steps_case_id")),
        sa.ForeignKeyConstraint(["officer_id"], ["officers.id"], name=op.f("fk_case_steps_officer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_steps")),
        sa.UniqueConstraint("case_id", "version", name=op.f("uq_case_steps_case_id_version")),
    )


def _allow_kinds(batch_op: object, kinds: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    batch_op.drop_constraint(op.f("ck_cases_kind"), type_="check")  # type: ignore[attr-defined]
    batch_op.create_check_constraint(op.f("ck_cases_kind"), f"kind IN ({listed})")  # type: ignore[attr-defined]


def downgrade() -> None:
    op.drop_table("help_contacts")
    op.drop_table("case_steps")
    op.drop_index("ix_cases_reporter_id", "cases")
    cases = sa.table("cases", sa.column("kind", _CODE))
    renamed = sa.update(cases).where(cases.c.kind.in_(_NEW_KINDS)).values(kind="resident_report")
    op.get_bind().execute(renamed)
    with op.batch_alter_table("cases", schema=None) as batch_op:
        _allow_kinds(batch_op, (*_OLD_KINDS, "visit"))
        for name in _CHECKS:
            batch_op.drop_constraint(op.f(f"ck_cases_{name}"), type_="check")
        for name in ("reporter_id", "checked_by"):
            batch_op.drop_constraint(op.f(f"fk_cases_{name}"), type_="foreignkey")
        for name in ("reporter_id", "call_back", "checked_by", "answered_at", "stars", "stars_reason", "reopened_at"):
            batch_op.drop_column(name)
