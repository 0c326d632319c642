"""Runs migrations on the connection that the caller hands over (see backend.cli upgrade-database)."""

from __future__ import annotations

from alembic import context

from backend.migrations.scope import is_described
from backend.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_object=is_described,
)
with context.begin_transaction():
    context.run_migrations()
