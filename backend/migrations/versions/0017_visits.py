"""Visits: the field work of a case; headcounts by adults and children; a window visit at somebody's door"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID, _CODE = sa.Uuid(as_uuid=False), sa.String(length=40)
_PLANNED = sa.text("state = 'planned'")
_OUTCOMES = ("met", "registered", "counted", "nobody_there", "moved_out", "empty", "address_wrong")


def upgrade() -> None:
    _make_visits()
    with op.batch_alter_table("headcounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("adults", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("children", sa.Integer(), nullable=True))
        batch_op.create_check_constraint(
            op.f("ck_headcounts_adults_and_children"), "adults IS NULL OR people = adults + children"
        )
    with op.batch_alter_table("window_visits", schema=None) as batch_op:
        batch_op.add_column(sa.Column("visit_id", _ID, nullable=True))
        batch_op.create_foreign_key(op.f("fk_window_visits_visit_id"), "visits", ["visit_id"], ["id"])


def _make_visits() -> None:
    op.create_table(
        "visits",
        sa.Column("id", _ID, nullable=False),
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("unit_id", _ID, nullable=False),
        sa.Column("area", _CODE, nullable=False),
        sa.Column("ground", _CODE, nullable=False),
        sa.Column("rule", _CODE, nullable=True),
        sa.Column("assignee_id", _ID, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", _CODE, nullable=False),
        sa.Column("planned_by", _ID, nullable=False),
        sa.Column("planned_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", _CODE, nullable=True),
        sa.Column("note_id", _ID, nullable=True),
        sa.Column("visited_at", UtcDateTime(), nullable=True),
        sa.Column("noted_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("state IN ('planned', 'done', 'withdrawn')", name=op.f("ck_visits_state")),
        sa.CheckConstraint(f"outcome IN ({', '.join(repr(one) for one in _OUTCOMES)})", name=op.f("ck_visits_outcome")),
        sa.CheckConstraint("(state = 'done') = (outcome IS NOT NULL)", name=op.f("ck_visits_outcome_when_done")),
        sa.CheckConstraint("(state = 'done') = (note_id IS NOT NULL)", name=op.f("ck_visits_note_when_done")),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_visits_case_id")),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_visits_unit_id")),
        sa.ForeignKeyConstraint(["assignee_id"], ["officers.id"], name=op.f("fk_visits_assignee_id")),
        sa.ForeignKeyConstraint(["planned_by"], ["officers.id"], name=op.f("fk_visits_planned_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("note_id", name=op.f("uq_visits_note_id")),
    )
    op.create_index("uq_visits_one_planned", "visits", ["case_id"], unique=True, sqlite_where=_PLANNED,
                    postgresql_where=_PLANNED)  # fmt: skip
    op.create_index("ix_visits_assignee_id_state", "visits", ["assignee_id", "state"])
    op.create_index("ix_visits_area_due_on", "visits", ["area", "due_on"])
    op.create_index("ix_visits_case_id", "visits", ["case_id"])
    op.create_index("ix_visits_unit_id", "visits", ["unit_id"])


def downgrade() -> None:
    with op.batch_alter_table("window_visits", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("fk_window_visits_visit_id"), type_="foreignkey")
        batch_op.drop_column("visit_id")
    with op.batch_alter_table("headcounts", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_headcounts_adults_and_children"), type_="check")
        batch_op.drop_column("adults")
        batch_op.drop_column("children")
    op.drop_table("visits")
