"""The landlord's scenes: sign in, a unit with its lock, a lease, an invitation, an extension."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from device_sim import journey_people as people
from device_sim.journey_clients import Api, Memory, Problem, SimControl
from device_sim.journey_people import Invented
from device_sim.journey_teller import Stopped, Teller

VILLAGE = "陈塘"


@dataclass
class Letting:
    """What the landlord has made."""

    unit_id: str = ""
    dwelling_id: str = ""
    unit_alias: str = ""
    lock_id: str = ""
    lease_id: str = ""
    registration_id: str = ""
    key_id: str = ""
    ends_on: date | None = None


class Landlord:
    """The landlord's phone."""

    def __init__(self, mobile: str, teller: Teller, sim: SimControl, var: Path, today: date) -> None:
        self.api = Api(mobile, teller)
        self.let = Letting()
        self._mobile, self._teller, self._sim, self._var, self._today = mobile, teller, sim, var, today
        self._memory = Memory(var, mobile)
        self.me = people.landlord()

    def sign_in(self) -> None:
        """Sign in; an app that was closed goes on with its session."""
        with self._teller.step("房东登录", "the landlord signs in") as notes:
            kept = self._memory.load()
            if kept and self.api.resume(kept):
                notes.append("沿用上次的登录 · goes on with the last sign-in")
            else:
                self.api.sign_in(self.me.phone)
            self._memory.keep(self.api.refresh_token)

    def identify(self) -> None:
        """Enter name and document, once."""
        with self._teller.step("房东核实身份", "the landlord is identified") as notes:
            shown = self.api.put("/me/identity", {"id_type": "111", "id_number": self.me.number, "name": self.me.name})
            notes.append(f"{shown['name']}  {shown['id_number_masked']}")

    def take_unit(self) -> None:
        """A vacant unit of his own with its lock, else a free one of the address base and a free lock."""
        with self._teller.step("登记房间和出租权利", "a unit with the right to let it") as notes:
            self._wake_locks()
            mine = self._vacant() or self._vacated()
            if mine is not None:
                self._remember(mine)
                notes.append(f"{mine['alias']}（上次登记的空房 · vacant since an earlier journey）")
            else:
                claim = self._claim_free_unit()
                self._remember(self.api.get(f"/units/{claim['unit_id']}"))
                notes.append(self.let.unit_alias)

    def take_lock(self) -> None:
        """Claim a lock by the code on its sticker, unless the unit has one."""
        with self._teller.step("用领取码领取门锁", "the lock is claimed by the code on its sticker") as notes:
            if not self.let.lock_id:
                self.let.lock_id = self._claim_free_lock()
            self._teller.wait("门锁上线 · lock online", self._lock_online)
            notes.append(f"{self.api.get(f'/units/{self.let.unit_id}')['lock']['serial']}")

    def record_lease(self, tenant: Invented) -> None:
        """Record the real-name lease; the tenant is reported to the registry with it."""
        with self._teller.step("录入租约并报告租客", "the lease is recorded, the tenant reported") as notes:
            self.let.ends_on = self._today + timedelta(days=364)
            body = {
                "kind": "room", "starts_on": self._today.isoformat(), "ends_on": self.let.ends_on.isoformat(),
                "alias": people.alias_of(tenant), "tenant_name": tenant.name, "tenant_id_type": "111",
                "tenant_id_number": tenant.number, "tenant_phone": tenant.phone,
            }  # fmt: skip
            made = self.api.post(f"/units/{self.let.unit_id}/leases", body, key=secrets.token_hex(16))
            self.let.lease_id, self.let.key_id = made["lease_id"], made["key_id"]
            self.let.registration_id = made["registration_id"]
            notes.append(f"房东报告回执 · landlord's receipt {made['landlord_receipt_no']}")

    def invite(self) -> None:
        """Issue the key and invite; the link goes out as a text message."""
        with self._teller.step("发出钥匙并邀请租客", "the key is issued, the tenant invited") as notes:
            invitation = self.api.post(f"/leases/{self.let.lease_id}/invitation")
            notes.append(f"{invitation['phone_masked']}  → {invitation['expires_at'][:10]}")

    def attest(self) -> None:
        """What the landlord says after meeting the tenant and seeing the document."""
        with self._teller.step("房东当面见证", "the landlord attests face to face") as notes:
            body = {"met_in_person": True, "saw_document": True}
            made = self.api.post(f"/leases/{self.let.lease_id}/attestation", body)
            notes.append(f"{made['state']}，复核期限 · review due {made['review_due_at']}")

    def extend(self) -> None:
        """Extend the lease; the key is the same key afterwards."""
        with self._teller.step("续租，钥匙原地延长", "the lease is extended, the key in place") as notes:
            assert self.let.ends_on is not None
            until = self.let.ends_on + timedelta(days=365)
            _, tag = self.api.get_tagged(f"/leases/{self.let.lease_id}")
            lease = self.api.patch(f"/leases/{self.let.lease_id}", {"ends_on": until.isoformat()}, tag)
            if lease["key"]["id"] != self.let.key_id or lease["key"]["ends_on"] != until.isoformat():
                raise Stopped(1, "续租后的钥匙不对 · the key was not extended in place")
            notes.append(f"→ {until}")

    def wind_down(self) -> None:
        """Take back a lease whose tenant never declared, so that the unit is vacant again."""
        if self.let.lease_id:
            self.api.post(f"/leases/{self.let.lease_id}/end", {"ended_on": self._today.isoformat()})
            self._teller.say("       租约已撤回，房间恢复空置 · the lease is taken back, the unit vacant again")

    def _remember(self, card: dict[str, Any]) -> None:
        self.let.unit_id, self.let.unit_alias = card["unit_id"], card["alias"]
        self.let.dwelling_id = card["dwelling_id"]
        self.let.lock_id = card["lock"]["id"] if card["lock"] else ""

    def _wake_locks(self) -> None:
        """A journey cut off at the door has left its lock without a network."""
        online = self._sim.connected()
        for card in self.api.get("/units")["units"]:
            if card["lock"] and card["lock"]["id"] not in online:
                self._sim.touch(card["lock"]["id"], "online")
                self._teller.wait("门锁上线 · lock online", partial(self._is_connected, card["lock"]["id"]))

    def _is_connected(self, lock_id: str) -> bool | None:
        return True if lock_id in self._sim.connected() else None

    def _vacant(self) -> dict[str, Any] | None:
        usable = self._sim.connected()
        cards = [card for card in self.api.get("/units")["units"] if card["lease"] is None]
        fitted = [card for card in cards if card["lock"] and card["lock"]["id"] in usable]
        bare = [card for card in cards if card["lock"] is None]
        return next(iter(fitted + bare), None)

    def _vacated(self) -> dict[str, Any] | None:
        """A unit left behind by a journey that was cut off: take the lease back, or let its tenant move out."""
        usable = self._sim.connected()
        for card in self.api.get("/units")["units"]:
            lease = card["lease"]
            phone = people.phone_in(lease["alias"]) if lease else None
            if phone is None or not card["lock"] or card["lock"]["id"] not in usable:
                continue
            if lease["progress"]["declared"]:
                self._move_out(phone)
            else:
                self.api.post(f"/leases/{lease['id']}/end", {"ended_on": self._today.isoformat()})
            return dict(card)
        return None

    def _move_out(self, phone: str) -> None:
        tenant = Api(self._mobile, self._teller)
        tenant.sign_in(phone)
        for tenancy in tenant.get("/registrations"):
            if tenancy["registration"]["residence"] == "living":
                body = {"moved_out_on": self._today.isoformat(), "reason": "lease_end"}
                tenant.post(f"/registrations/{tenancy['registration_id']}/check-out", body, key=secrets.token_hex(16))

    def _claim_free_unit(self) -> Any:
        right = {"right_kind": "owner", "evidence": "不动产权证书"}
        dwellings = self.api.get("/dwellings", q=VILLAGE, limit=50)
        for dwelling in reversed(dwellings):  # the rentals of the village come first
            for unit in self.api.get(f"/dwellings/{dwelling['id']}")["units"]:
                if not unit["claimed"]:
                    return self.api.post(f"/units/{unit['id']}/claims", right, key=secrets.token_hex(16))
        if not dwellings:
            raise Stopped(1, "地址库里没有房屋 · the address base is empty: is this the demo's database?")
        room = {"label": f"旅程{secrets.token_hex(3)}室", "space_kind": "bedroom", "usable_area_m2": 15, "capacity": 2}
        return self.api.post(f"/dwellings/{dwellings[-1]['id']}/units", {**room, **right}, key=secrets.token_hex(16))

    def _claim_free_lock(self) -> str:
        usable = self._sim.connected()
        for sticker in _stickers(self._var):
            if sticker["lock_id"] not in usable:
                continue
            try:
                body = {"claim_code": sticker["claim_code"]}
                return str(self.api.put(f"/units/{self.let.unit_id}/lock", body)["lock_id"])
            except Problem as problem:
                if problem.code != "lock.claimed":
                    raise
        raise Stopped(1, "没有空闲的门锁了 · no free lock is left: `./anju demo --reset` starts over")

    def _lock_online(self) -> bool | None:
        lock = self.api.get(f"/units/{self.let.unit_id}")["lock"]
        return True if lock and lock["presence"] == "online" else None


def _stickers(var: Path) -> list[dict[str, str]]:
    file = var / "sim" / "stickers.json"
    try:
        return list(json.loads(file.read_text())["stickers"])
    except (OSError, ValueError, KeyError):
        raise Stopped(1, f"读不到门锁贴纸 · the locks' stickers cannot be read: {file}") from None
