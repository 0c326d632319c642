"""The demo's other offices: three agreements in force, with keys that their stand-ins find in VAR/offices."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from backend.domain.calendars import CHINA
from backend.domain.reported import BECAME_LOCAL, LEASE_FILED, RENUMBERED, SAID
from backend.domain.sharing import OUT_KINDS
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.services.agreements import add_agreement, approve_agreement
from backend.wire.jwk import keys_to_jwks, make_private_key, private_key_from_pem, private_key_to_pem, thumbprint

HOUSING, PRECINCT, ADDRESSES = "housing-authority", "precinct-module", "address-office"


def _said(kind: str) -> list[str]:
    """The fields that a report of this kind may have."""
    return [*SAID[kind].needs, *SAID[kind].may]


_PLACE = ["unit.public_number", "unit.address", "unit.division"]
_SAID: dict[str, dict[str, Any]] = {
    # a lease is filed with its parties as they are written in it (HR-8), and the number comes back
    HOUSING: {
        "direction": "both",
        "office_zh": "长兴县住房和城乡建设局",
        "office_en": "Changxing housing authority",
        "purpose": "lease_filing",
        "legal_basis": "HR-8",
        "kinds": [*(kind for kind in OUT_KINDS if ".lease." in kind), LEASE_FILED],
        "fields": [
            *_PLACE, "unit.usable_area_m2", "lease.kind", "lease.state", "lease.starts_on", "lease.ends_on",
            "lease.filing_no", "lease.reference", "lease.filed_on", "landlord.name", "landlord.id_type",
            "landlord.id_number", "tenant.name", "tenant.id_type", "tenant.id_number",
        ],
    },
    # who is registered stays in the registry; the module gets how many, and in which state. It may say who became
    # local, which the household registry knows (ZJ-2).
    PRECINCT: {
        "direction": "both",
        "office_zh": "太湖派出所模块",
        "office_en": "Taihu precinct module",
        "purpose": "dwelling_ledger",
        "legal_basis": "ZJ-9-1",
        "kinds": [*(kind for kind in OUT_KINDS if ".lease." not in kind), BECAME_LOCAL],
        "fields": [*_PLACE, "unit.capacity", "unit.registered_people", "registration.state",
                   "registration.move_in_on", "registration.moved_out_on", *_said(BECAME_LOCAL)],
    },
    ADDRESSES: {
        "direction": "in",
        "office_zh": "长兴县地名地址管理办公室",
        "office_en": "Changxing address office",
        "purpose": "address_base",
        "legal_basis": "ZJ-9-1",
        "kinds": [RENUMBERED],
        "fields": _said(RENUMBERED),
    },
}  # fmt: skip


def seed_agreements(
    world: World, var: Path, supervisors: tuple[str, str], area: str, receivers: dict[str, str] | None = None
) -> None:
    """Make the agreements, in force for two years around today, unless they are there.

    `receivers` names the address of each office that is called; one without an address fetches by itself.
    """
    began = world.clock.today() - timedelta(days=150)
    past = replace(world, clock=FixedClock(datetime.combine(began, time(9), CHINA)))
    for subscriber, said in _SAID.items():
        written = {
            "subscriber": subscriber,
            "areas": [area],
            "starts_on": began.isoformat(),
            "ends_on": date(began.year + 2, began.month, 1).isoformat(),
            "delivery": "pull",
            "keys": _keys(var / "offices" / f"{subscriber}.pem"),
            **said,
        }
        if receivers and subscriber in receivers:
            written |= {"delivery": "webhook", "webhook_url": receivers[subscriber], "batch_size": 100}
        made = add_agreement(past, written=written)
        for supervisor in supervisors[made.approvals :] if made.state == "draft" else ():
            approve_agreement(past, agreement_id=made.id, officer_id=supervisor)


def stand_in_receivers(port: int) -> dict[str, str]:
    """Where the demo's stand-ins take deliveries."""
    return {name: f"http://127.0.0.1:{port}/hooks/{name}" for name in (HOUSING, PRECINCT)}


def _keys(path: Path) -> dict[str, Any]:
    """The public half of an office's key, which is made the first time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(private_key_to_pem(make_private_key()))
        os.replace(fresh, path)
    key = private_key_from_pem(path.read_bytes()).public_key()
    return keys_to_jwks({thumbprint(key): key})
