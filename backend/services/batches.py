"""Batches: what the worker does row by row in one write unit, so that a row nobody can read holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)


class _Row(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=_Row)


def do_each(session: Session, rows: Iterable[Row], act: Callable[[Row], object], *, name: str) -> int:
    """Do `act` for each row, all or nothing, inside the present write unit; answers for how many it went well.

    A row that fails is as it was and is logged by its id; what the database itself refuses is raised.
    """
    done = 0
    for row in rows:
        row_id = row.id
        try:
            with session.begin_nested():
                act(row)
            done += 1
        except DBAPIError:
            raise
        except Exception as error:  # its text may carry values
            log.error("row_failed", batch=name, row=row_id, error=type(error).__name__)
    return done
