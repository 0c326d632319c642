"""The id of the request or message being handled, for audit leaves and problem answers."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def place_of(error: BaseException) -> str:
    """Where an error arose, as file:line. Its text may carry a person's values, so logs name this."""
    trace, place = error.__traceback__, "?"
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename.rsplit('/', 3)[-1]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
