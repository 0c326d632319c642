"""The standings of units, and the outlines of buildings"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID, _CODE = sa.Uuid(as_uuid=False), sa.String(length=40)
# Every unit of an older database, counted as backend/queries/unit_states.py counts it.
_FILL = """
WITH seen AS (
  SELECT unit_id, people, at FROM (
    SELECT unit_id, people, at, row_number() OVER (PARTITION BY unit_id ORDER BY at DESC, id DESC) AS place
    FROM headcounts) AS ranked WHERE place = 1),
counted AS (
  SELECT unit_id,
    sum(CASE WHEN residence = 'living' AND tenant_leg = 'declared' THEN 1 ELSE 0 END) AS registered,
    sum(CASE WHEN residence = 'living' AND disputed THEN 1 ELSE 0 END) AS disputed,
    min(CASE WHEN residence = 'living' AND tenant_leg <> 'declared' AND scope = 'in_scope' THEN tenant_due_on END)
      AS due_on,
    max(updated_at) AS changed_at
  FROM registrations GROUP BY unit_id),
earlier AS (
  SELECT r.unit_id, count(*) AS people FROM registrations AS r JOIN seen ON seen.unit_id = r.unit_id
  WHERE r.declared_at <= seen.at AND r.residence <> 'voided'
    AND (r.residence = 'living' OR r.moved_out_on > date(seen.at))
  GROUP BY r.unit_id)
INSERT INTO unit_standings (unit_id, dwelling_id, division, in_force, enrolled, capacity, usable_area_m2, registered,
  disputed, due_on, changed_at, headcount, headcount_at, headcount_then)
SELECT u.id, u.dwelling_id, d.division, d.retired_on IS NULL, u.landlord_id IS NOT NULL, u.capacity, u.usable_area_m2,
  coalesce(counted.registered, 0), coalesce(counted.disputed, 0), counted.due_on, counted.changed_at, seen.people,
  seen.at, coalesce(earlier.people, 0)
FROM units AS u JOIN dwellings AS d ON d.id = u.dwelling_id
LEFT JOIN counted ON counted.unit_id = u.id
LEFT JOIN seen ON seen.unit_id = u.id
LEFT JOIN earlier ON earlier.unit_id = u.id
"""


def upgrade() -> None:
    op.create_table(
        "unit_standings",
        sa.Column("unit_id", _ID, nullable=False),
        sa.Column("dwelling_id", _ID, nullable=False),
        sa.Column("division", _CODE, nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("enrolled", sa.Boolean(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("usable_area_m2", sa.Double(), nullable=False),
        sa.Column("registered", sa.Integer(), nullable=False),
        sa.Column("disputed", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("headcount", sa.Integer(), nullable=True),
        sa.Column("headcount_at", UtcDateTime(), nullable=True),
        sa.Column("headcount_then", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name=op.f("fk_unit_standings_unit_id")),
        sa.ForeignKeyConstraint(["dwelling_id"], ["dwellings.id"], name=op.f("fk_unit_standings_dwelling_id")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_standings")),
    )
    op.create_index("ix_unit_standings_division", "unit_standings", ["division", "dwelling_id"])
    op.create_index(op.f("ix_unit_standings_dwelling_id"), "unit_standings", ["dwelling_id"])
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outline", sa.JSON(), nullable=True))
    op.execute(_FILL)


def downgrade() -> None:
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        batch_op.drop_column("outline")
    op.drop_table("unit_standings")
