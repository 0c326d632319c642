"""Opening without a network: what the phone fetches for it and keeps, and the page that is left then."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response, jsonify, render_template, request, send_from_directory

from backend.domain.refusals import Refused
from backend.services import key_codes, keys, lock_couriers, time_tokens
from mobile_api.pages.doors import STATIC, account_id, front, tenant, world

NO_CODES = ("lock.no_keypad", "unit.no_lock")


@tenant.post("/keys/<key_id>/near")
def near_documents(key_id: str) -> Response:
    """What opens one's own door without a server, codes included; near_key.js keeps it on the phone."""
    kept = asdict(keys.fetch_credential(world(), account_id=account_id(), key_id=key_id))
    return jsonify({**kept, "codes": _codes(key_id)})


@tenant.post("/keys/<key_id>/time")
def near_time(key_id: str) -> Response:
    """The signed time for a lock that lost its own; the phone before it carries it over."""
    asked = {name: request.form.get(name, "") for name in ("lock_id", "nonce")}
    return jsonify(time_tokens.fetch_time(world(), account_id=account_id(), key_id=key_id, **asked))


@tenant.post("/keys/<key_id>/lock-report")
def near_report(key_id: str) -> Response:
    """What the phone has collected at a lock without network; the answer goes to the lock with the next opening."""
    lock_id, items = request.form.get("lock_id", ""), tuple(request.form.getlist("items"))
    taken = lock_couriers.take_report(
        world(), account_id=account_id(), key_id=key_id, lock_id=lock_id, items=items
    )
    return jsonify({"lock_id": taken.lock_id, "ack": taken.ack})


@front.get("/t/offline")
def offline() -> str:
    """The page for the time without a network; the phone fills it with what it keeps. As kept it is nobody's."""
    return render_template("tenant/offline.html")


@front.get("/t/worker.js")
def worker() -> Response:
    """The service worker of the tenant's pages; here, since it may serve only what lies below its own address."""
    answer = send_from_directory(STATIC, "worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


def _codes(key_id: str) -> dict[str, Any] | None:
    """The keypad codes as the phone keeps them; None where the door has no keypad."""
    try:
        codes = key_codes.fetch_codes(world(), account_id=account_id(), key_id=key_id)
    except Refused as refused:
        if refused.refusal.code in NO_CODES:
            return None
        raise
    days = [{"day": each.day.isoformat(), "code": each.code} for each in codes.days]
    return {"days": days, "period": codes.period}
