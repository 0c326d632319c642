"""Compiled statements shared by all databases of a test process.

SQLAlchemy compiles a statement once for each engine; with an engine for each test that was a third of the suite's work.
Dialects of one kind write the same SQL, so that what one has compiled serves the others too.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, util
from sqlalchemy.engine.default import DefaultDialect

STATEMENTS = 5000  # more than the whole suite has

_cache: Any = util.LRUCache(STATEMENTS)


def share_compiled_statements() -> None:
    """Let every engine look up the one cache."""
    Engine._compiled_cache = property(lambda _engine: _cache, lambda _engine, _own: None)  # type: ignore[assignment]
    DefaultDialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign,assignment]
    DefaultDialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign,assignment]
