"""The address base and imports: versions, codes of addresses, runs and rows of imports"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.models.base import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_COUNTS = ("total", "done", "new", "changed", "renumbered", "same", "failed", "retired", "kept")
_UNFINISHED = sa.text("state IN ('checking', 'ready', 'running')")
_BY_ADDRESS = sa.text("address_code IS NULL AND retired_on IS NULL")
_ADDRESS = ["division", "road", "door_no", "building"]
_COLUMNS = (
    ("address_code", sa.String(length=40)),
    ("former_address", sa.String(length=120)),
    ("datum", sa.String(length=40)),
    ("seen_version", sa.Integer()),
    ("retired_on", sa.Date()),
)


def upgrade() -> None:
    _create_imports()
    op.create_table(
        "address_versions",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_address_versions_run_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_address_versions")),
        sa.UniqueConstraint("run_id", name=op.f("uq_address_versions_run_id")),
    )
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        for name, kind in _COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
        batch_op.drop_constraint(op.f("uq_dwellings_division_road_door_no_building"), type_="unique")
        batch_op.create_unique_constraint(op.f("uq_dwellings_address_code"), ["address_code"])
        batch_op.create_foreign_key(op.f("fk_dwellings_seen_version"), "address_versions", ["seen_version"], ["number"])
        batch_op.create_index(op.f("ix_dwellings_seen_version"), ["seen_version"], unique=False)
        batch_op.create_check_constraint(op.f("ck_dwellings_datum"), "datum IN ('CGCS2000', 'WGS84', 'GCJ02')")
        batch_op.create_index("ix_dwellings_address", _ADDRESS, unique=False)
    op.create_index(
        "uq_dwellings_address",
        "dwellings",
        _ADDRESS,
        unique=True,
        sqlite_where=_BY_ADDRESS,
        postgresql_where=_BY_ADDRESS,
    )


def downgrade() -> None:
    op.drop_index("uq_dwellings_address", table_name="dwellings")
    with op.batch_alter_table("dwellings", schema=None) as batch_op:
        batch_op.drop_index("ix_dwellings_address")
        batch_op.drop_constraint(op.f("ck_dwellings_datum"), type_="check")
        batch_op.drop_index(op.f("ix_dwellings_seen_version"))
        batch_op.drop_constraint(op.f("fk_dwellings_seen_version"), type_="foreignkey")
        batch_op.drop_constraint(op.f("uq_dwellings_address_code"), type_="unique")
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)
        batch_op.create_unique_constraint(op.f("uq_dwellings_division_road_door_no_building"), _ADDRESS)
    op.drop_table("address_versions")
    op.drop_table("import_rows")
    op.drop_table("import_runs")


def _create_imports() -> None:
    op.create_table(
        "import_runs",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("file_name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("actor_kind", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=40), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("fault", sa.String(length=40), nullable=True),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _COUNTS),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("kind IN ('address', 'leases', 'registrations')", name=op.f("ck_import_runs_kind")),
        sa.CheckConstraint(
            "state IN ('checking', 'ready', 'running', 'done', 'failed', 'cancelled')",
            name=op.f("ck_import_runs_state"),
        ),
        sa.CheckConstraint("actor_kind IN ('operator', 'officer', 'resident')", name=op.f("ck_import_runs_actor_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
    )
    op.create_index(
        "uq_import_runs_unfinished",
        "import_runs",
        ["kind", "sha256", "dry_run", "actor_kind", "owner"],
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )
    op.create_index("ix_import_runs_kind_created_at", "import_runs", ["kind", "created_at"])
    op.create_table(
        "import_rows",
        sa.Column("run_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("row_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("object_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('new', 'changed', 'renumbered', 'same', 'failed', 'retired', 'kept')",
            name=op.f("ck_import_rows_outcome"),
        ),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_import_rows_run_id")),
        sa.PrimaryKeyConstraint("run_id", "row_no", name=op.f("pk_import_rows")),
    )
    op.create_index("ix_import_rows_outcome", "import_rows", ["run_id", "outcome", "row_no"])
