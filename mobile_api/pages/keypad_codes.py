"""Tenant: the codes for the door's keypad: today's, those of the next days, and one for a single time."""

from __future__ import annotations

from flask import render_template, request

from backend.domain.refusals import Refusal, Refused
from backend.services import key_codes, tenancies
from backend.services.key_codes import KeyCodes
from mobile_api.pages.doors import account_id, tenant, world

NEVER_A_CODE = ("lock.no_keypad", "unit.no_lock", "key.not_active")


@tenant.route("/homes/<registration_id>/codes", methods=["GET", "POST"])
def codes(registration_id: str) -> str:
    """Large digits that can be printed. A one-time code is shown once, in the answer that made it, and kept nowhere."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    once = 1 if request.method == "POST" else 0
    found: KeyCodes | None = None
    refusal: Refusal | None = None
    try:
        found = key_codes.fetch_codes(world(), account_id=account_id(), key_id=mine.key_id or "", once=once)
    except Refused as refused:
        if refused.refusal.code not in NEVER_A_CODE:
            raise
        refusal = refused.refusal
    return render_template("tenant/codes.html", home=mine, codes=found, refusal=refusal)
