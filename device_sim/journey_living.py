"""The scenes of living there: opening the door with and without a network, the receipt, moving out."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

import httpx

from backend.wire.jwk import keys_from_jwks
from backend.wire.receipts import Receipt, ReceiptInvalid, qr_text, verify_receipt
from device_sim.journey_clients import Problem, SimControl
from device_sim.journey_moving_in import Tenant
from device_sim.journey_teller import Stopped, Teller
from device_sim.phone import Carried, NearOutcome

FINAL = ("executed", "refused", "expired", "unknown")


class Living:
    """The tenant at the door."""

    def __init__(self, tenant: Tenant, sim: SimControl, lock_id: str, near: tuple[str, int], teller: Teller) -> None:
        self._tenant, self._sim, self._lock_id, self._near, self._teller = tenant, sim, lock_id, near, teller
        self._credential: dict[str, Any] = {}

    def open_over_mqtt(self) -> None:
        """Ask the platform; the lock opens and says so."""
        with self._teller.step("联网开门（MQTT）", "the door opens over MQTT") as notes:
            before = self._sim.lock(self._lock_id)["events"]
            command = self._tenant.api.post(f"/keys/{self._tenant.key_id}/unlocks", key=secrets.token_hex(16))
            done = self._teller.wait("门锁答复 · the lock's answer", lambda: self._answered(command["id"]), 20)
            if done["state"] != "executed":
                raise Stopped(1, f"门没有开 · the door did not open: {done['state']} {done['reason']}")
            shown = self._sim.lock(self._lock_id)
            notes.append(f"{done['state']}  锁舌 · bolt {shown['bolt']}，事件 · events +{shown['events'] - before}")

    def open_without_network(self) -> None:
        """Cut the lock's network; the platform refuses at once, the phone opens it over the near link."""
        api, key_id = self._tenant.api, self._tenant.key_id
        with self._teller.step("断网开门（近场，代替蓝牙）", "the door opens without a network (near link)") as notes:
            self._credential = api.post(f"/keys/{key_id}/credentials")
            self._sim.touch(self._lock_id, "offline")
            try:
                self._teller.wait("平台得知门锁离线 · the platform learns it", self._is("offline"))
                notes.append(f"联网开门 · over the network: {self._refusal()}")
                opened = self._stand_at_the_door()
                if opened.result != "opened":
                    raise Stopped(1, f"近场没有开门 · the near link did not open: {opened.result}")
                notes.append(f"近场 · near link: {opened.result}，门锁签名回执 · receipt signed by the lock")
            finally:
                self._sim.touch(self._lock_id, "online")
            self._teller.wait("门锁重新上线 · lock online again", self._is("online"))
            mine = self._teller.wait("补传的开门记录 · the late events", self._events)
            notes.append(f"本人可见的开门记录 · openings only the tenant can see: {mine}")

    def await_receipt(self, registry: str) -> str:
        """Wait for the registry's receipt and verify it with the registry's published keys; answers its QR text."""
        with self._teller.step("登记凭证到达并验签", "the registry's receipt, its signature verified") as notes:
            self._teller.wait("登记机关受理 · accepted by the registry", self._accepted, 90)
            receipt = self._tenant.api.get(f"/registrations/{self._tenant.registration_id}/receipt")
            said = self._verify(registry, receipt["token"])
            if said.number != receipt["receipt_no"] or said.record_id != self._tenant.registration_id:
                raise Stopped(1, "凭证内容不符 · the receipt is about something else")
            notes.append(f"{said.number}  {said.accepted_at:%Y-%m-%d %H:%M:%S}")
            return qr_text(receipt["token"])

    def move_out(self, today: date) -> None:
        """Check out: the key is revoked, nothing opens any more."""
        with self._teller.step("租客退房", "the tenant checks out"):
            body = {"moved_out_on": today.isoformat(), "reason": "lease_end"}
            path = f"/registrations/{self._tenant.registration_id}/check-out"
            self._tenant.api.post(path, body, key=secrets.token_hex(16))
        with self._teller.step("钥匙停用，门锁确认，开门被拒", "the key is revoked, the door stays shut") as notes:
            self._teller.wait("停用确认 · revocation confirmed", self._is_revoked)
            notes.append(f"联网开门 · over the network: {self._refusal()}")
            tried = self._stand_at_the_door()
            if tried.result == "opened":
                raise Stopped(1, "停用后的钥匙还能开门 · a revoked key still opens")
            notes.append(f"近场 · near link: {tried.result}")

    def await_checkout_receipt(self) -> str:
        """The registry's receipt for the move-out; answers its number."""
        with self._teller.step("离开登记凭证", "the registry's receipt for the move-out") as notes:
            number = self._teller.wait(
                "登记机关确认离开 · move-out confirmed", lambda: self._tenant.registration()["checkout_receipt_no"], 90
            )
            notes.append(str(number))
            return str(number)

    def _answered(self, command_id: str) -> Any:
        shown = self._tenant.api.get(f"/commands/{command_id}", wait_s=3)
        return shown if shown["state"] in FINAL else None

    def _is(self, presence: str) -> Any:
        return lambda: True if self._tenant.key()["doors"][0]["presence"] == presence else None

    def _is_revoked(self) -> bool | None:
        return True if self._tenant.key()["state"] == "revoked" else None

    def _events(self) -> int | None:
        found = self._tenant.api.get(f"/keys/{self._tenant.key_id}/door-events")
        openings = [event for event in found if event["kind"] == "lock.unlocked"]
        return len(openings) if len(openings) >= 2 else None

    def _refusal(self) -> str:
        try:
            self._tenant.api.post(f"/keys/{self._tenant.key_id}/unlocks", key=secrets.token_hex(16))
        except Problem as problem:
            return problem.words()
        raise Stopped(1, "本应拒绝的开门被接受了 · an unlock was taken that should have been refused")

    def _stand_at_the_door(self) -> NearOutcome:
        door = next(each for each in self._credential["doors"] if each["lock_id"] == self._lock_id)
        carried = Carried(activation=self._credential["activation"], revocation=door["revocations"])
        return self._teller.patiently(
            f"近场 · near link {self._near}",
            lambda: self._tenant.phone.open(self._lock_id, door["credential"], carried, address=self._near),
        )

    def _accepted(self) -> bool | None:
        registration = self._tenant.registration()
        if registration["registry_state"] == "rejected":
            errors = registration["registry_errors"]
            words = "; ".join(f"{each['code']} {each['message_zh']} · {each['message_en']}" for each in errors)
            raise Stopped(1, f"登记机关退回 · returned by the registry: {words}")
        return True if registration["registry_state"] == "accepted" and registration["receipt_no"] else None

    def _verify(self, registry: str, token: str) -> Receipt:
        address = f"{registry}/v1/keys"
        keys = self._teller.patiently(address, lambda: httpx.get(address, timeout=10, trust_env=False)).json()
        try:
            return verify_receipt(token, keys_from_jwks(keys))
        except ReceiptInvalid as error:
            raise Stopped(1, f"凭证签名无效 · the receipt's signature is not good: {error}") from None
