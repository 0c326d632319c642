"""Alembic's numbered steps of the core's database. The launcher runs them before any process starts."""
