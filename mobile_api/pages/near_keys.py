"""Tenant: opening over Bluetooth. What the phone fetches for it, and the page that is left without a network."""

from __future__ import annotations

from flask import Response, jsonify, render_template, request, send_from_directory

from backend.services import keys, tenancies, time_tokens
from mobile_api.pages.doors import STATIC, account_id, front, tenant, world


@tenant.post("/homes/<registration_id>/near")
def near_documents(registration_id: str) -> Response:
    """What opens this home's door without a server; near_key.js keeps it on the phone."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    kept = keys.fetch_credential(world(), account_id=account_id(), key_id=mine.key_id or "")
    return jsonify(kept)


@tenant.post("/homes/<registration_id>/time")
def near_time(registration_id: str) -> Response:
    """The signed time for a lock that lost its own; the phone before it carries it over."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    asked = {name: request.form.get(name, "") for name in ("lock_id", "nonce")}
    return jsonify(time_tokens.fetch_time(world(), account_id=account_id(), key_id=mine.key_id or "", **asked))


@front.get("/t/offline")
def offline() -> str:
    """The page for the time without a network; the phone fills it with what it keeps. Nothing personal stands in it."""
    return render_template("tenant/offline.html")


@front.get("/t/worker.js")
def worker() -> Response:
    """The service worker of the tenant's pages; here, since it may serve only what lies below its own address."""
    answer = send_from_directory(STATIC, "worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer
