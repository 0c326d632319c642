"""Tenant: the codes for the door's keypad: today's, those of the next days, and one for a single time."""

from __future__ import annotations

from flask import render_template, request

from backend.domain.refusals import Refusal, Refused
from backend.services import key_codes, tenancies
from backend.services.key_codes import KeyCodes
from mobile_api.pages.doors import account_id, tenant, world

NEVER_A_CODE = ("lock.no_keypad", "unit.no_lock", "key.not_active")
SPENT = "lock.codes_spent"


@tenant.route("/homes/<registration_id>/codes", methods=["GET", "POST"])
def codes(registration_id: str) -> str:
    """Large digits that can be printed. A one-time code is shown once, in the answer that made it, and kept nowhere.

    When today's are used up the page says so beside the other codes.
    """
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    found, refusal = _fetch(mine.key_id or "", once=1 if request.method == "POST" else 0)
    if refusal is not None and refusal.code == SPENT:
        found, _none = _fetch(mine.key_id or "", once=0)
    return render_template("tenant/codes.html", home=mine, codes=found, refusal=refusal)


def _fetch(key_id: str, *, once: int) -> tuple[KeyCodes | None, Refusal | None]:
    try:
        return key_codes.fetch_codes(world(), account_id=account_id(), key_id=key_id, once=once), None
    except Refused as refused:
        if refused.refusal.code not in (*NEVER_A_CODE, SPENT):
            raise
        return None, refused.refusal
