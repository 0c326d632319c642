"""Side by side without a network: the landlord's phone issues a key, the tenant's takes it, the platform hears later.

The two pages hold nothing personal and are kept by the phones; what fills them lies in the phones' own stores.
"""

from __future__ import annotations

from flask import Response, jsonify, render_template, request, send_from_directory

from backend.domain.calendars import start_of
from backend.domain.refusals import Refused
from backend.services import delegated_keys, delegates, landlord_views
from mobile_api.pages.doors import STATIC, account_id, front, landlord, tenant, world
from mobile_api.pages.new_phones import phone_jwk


@front.get("/l/offline")
def landlord_offline() -> str:
    """The landlord's page for the time without a network: issue the keys this phone is prepared for."""
    return render_template("landlord/offline.html")


@front.get("/l/worker.js")
def landlord_worker() -> Response:
    """The service worker of the landlord's pages; here, since it may serve only what lies below its own address."""
    answer = send_from_directory(STATIC, "worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@front.get("/t/receive")
def receive_key() -> str:
    """The tenant's page: hold out this phone's key, take what the landlord's phone has issued for it."""
    return render_template("tenant/receive.html")


@landlord.post("/leases/<lease_id>/offline-kit")
def prepare_issue(lease_id: str) -> Response:
    """What lets this phone issue the lease's key without a network for up to three days; the module keeps it."""
    lease = landlord_views.get_lease(world(), account_id=account_id(), lease_id=lease_id)
    if lease.key is None or lease.progress.accepted:
        raise Refused("invitation.not_open")
    made = delegates.make_delegate(
        world(),
        account_id=account_id(),
        unit_id=lease.unit_id,
        phone_jwk=phone_jwk(request.form.get("phone_jwk", "")),
        idempotency_key=request.form.get("once"),
    )
    return jsonify(
        {
            "lease": lease.id,
            "key": lease.key.id,
            "alias": lease.alias,
            "unit": lease.unit_alias,
            "begins": int(start_of(lease.starts_on).timestamp()),
            "lock_key": made.lock_key,
            "delegate": made.token,
            "expires_at": made.expires_at.isoformat(),
        }
    )


@landlord.post("/leases/<lease_id>/issued-key")
def take_in_issued(lease_id: str) -> Response:
    """The landlord's phone tells what it has issued; told again, no change."""
    return _take_in(lease_id)


@tenant.post("/leases/<lease_id>/issued-key")
def take_in_received(lease_id: str) -> Response:
    """The tenant's phone tells what it was given; told again, no change."""
    return _take_in(lease_id)


@tenant.post("/activation")
def fetch_activation() -> Response:
    """The platform's word on who holds this phone; opens nothing by itself."""
    made = delegates.fetch_activation(
        world(), account_id=account_id(), phone_jwk=phone_jwk(request.form.get("phone_jwk", ""))
    )
    return jsonify({"activation": made.activation, "expires_at": made.expires_at.isoformat()})


def _take_in(lease_id: str) -> Response:
    tokens = {name: request.form.get(name, "") for name in ("credential", "delegate")}
    card = delegated_keys.adopt_delegated_key(world(), account_id=account_id(), lease_id=lease_id, **tokens)
    return jsonify({"key": card.id, "state": card.state})
