"""Alembic's entry: runs on the connection it is handed by backend.registry.database."""

from __future__ import annotations

from alembic import context

from backend.registry.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
