"""Who calls: an office that signed exactly this call under its agreement, or nobody."""

from __future__ import annotations

from flask import Response, current_app, request

from backend.bootstrap import world_of
from backend.domain.refusals import Refusal
from backend.gateways.world import World
from backend.services.office_pulls import OfficeCaller, identify_office
from backend.web import Caller, caller, problem
from backend.wire.office_calls import SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER


def world() -> World:
    """The outside world of this process."""
    return world_of(current_app)


def authenticate() -> Caller:
    """The office behind the call's signature, nobody without one. Raises Refused office.signature for a bad one."""
    signature = request.headers.get(SIGNATURE_HEADER, "")
    if not signature:
        return Caller()
    query = request.query_string.decode("ascii", "replace")
    found = identify_office(
        world(),
        subscriber=request.headers.get(SUBSCRIBER_HEADER, ""),
        method=request.method,
        target=request.path + (f"?{query}" if query else ""),
        time_text=request.headers.get(TIME_HEADER, ""),
        signature=signature,
        body=request.get_data(),
    )
    return Caller("office", account_id=found.agreement_id, details=found)


def office() -> OfficeCaller:
    """The office that makes this call."""
    found: OfficeCaller = caller().details
    return found


def error_answer_json(status: int, refusals: tuple[Refusal, ...], _request_id: str | None) -> Response:
    """Every refusal is problem+json here: programs call, not people."""
    return problem(refusals, status)
