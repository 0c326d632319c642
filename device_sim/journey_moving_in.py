"""The tenant's scenes until the key works: invitation, notice, identity, face, declaration."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from device_sim.faces import burst_of
from device_sim.journey_clients import Api, Problem
from device_sim.journey_people import Invented
from device_sim.journey_teller import Stopped, Teller
from device_sim.phone import Phone

DIFFERENT_PEOPLE, UNUSABLE_PICTURES = 3, 4
TRIES_WHILE_BUSY = 5


@dataclass(frozen=True)
class Pictures:
    """The document's portrait side and a selfie, as files of a camera."""

    document: bytes
    selfie: bytes


class Tenant:
    """The tenant's phone."""

    def __init__(self, mobile: str, teller: Teller, person: Invented, today: date) -> None:
        self.api = Api(mobile, teller)
        self.phone = Phone()
        self.person = person
        self.registration_id = self.key_id = ""
        self._teller, self._today = teller, today

    def sign_in_and_accept(self) -> None:
        """Read the link in the text message, sign in, accept: the key is bound to this phone's own key."""
        with self._teller.step("租客打开邀请链接并登录", "the tenant opens the link and signs in") as notes:
            text = self._teller.wait("邀请短信 · the invitation's message", self._invitation)
            token = text.rsplit("/i/", 1)[1].split()[0]
            face = self.api.post("/invitations/look", {"token": token})
            notes.append(f"{face['unit_alias']}  {face['starts_on']} – {face['ends_on']}")
            self.api.sign_in(self.person.phone)
        with self._teller.step("接受邀请，钥匙绑定本机", "accepted: the key is bound to this phone") as notes:
            made = self.api.post("/invitations/accept", {"token": token, "phone_jwk": self.phone.jwk})
            self.registration_id, self.key_id = made["registration_id"], made["key_id"]
            notes.append(f"手机密钥指纹 · phone key {self.phone.thumbprint[:16]}…")

    def read_and_consent(self) -> None:
        """Read the notice; give the separate consent to the face check."""
        with self._teller.step("阅读告知书，单独同意人脸核验", "notice read, separate consent to the face check"):
            for text in self.api.get("/consent-texts"):
                self.api.put(f"/consents/{text['purpose']}", {"version": text["version"], "given": True})

    def enter_identity(self) -> None:
        """Name and document."""
        with self._teller.step("填写姓名和证件", "name and document are entered") as notes:
            body = {
                "id_type": "111",
                "id_number": self.person.number,
                "name": self.person.name,
                "hukou_division": self.person.division,
            }
            shown = self.api.put("/me/identity", body)
            notes.append(f"{shown['name']}  {shown['id_number_masked']}")

    def check_face(self, pictures: Pictures) -> str:
        """Challenge, burst, one-to-one match. Answers 'match', 'review' or 'unavailable'.

        Raises Stopped: two different people (3), unusable pictures (4).
        """
        with self._teller.step("证件照与自拍一对一比对", "one-to-one face check") as notes:
            try:
                outcome = self._compare(pictures, notes)
            except Problem as problem:
                if problem.code != "face.unavailable":
                    raise
                notes.append(problem.words())
                return "unavailable"
            notes.append(f"结果 · decision: {outcome['decision']}")
            notes.extend(
                f"{reason['zh']} {reason['tip_zh']} · {reason['en']} {reason['tip_en']}"
                for reason in outcome["reasons"]
            )
            ways = tuple(outcome["other_ways"])
            reason = "；".join(
                f"{each['zh']} {each['tip_zh']} · {each['en']} {each['tip_en']}" for each in outcome["reasons"]
            )
            if outcome["decision"] == "no_match":
                raise Stopped(DIFFERENT_PEOPLE, f"身份核验未通过 · stopped at the identity check: {reason}", ways=ways)
            if outcome["decision"] == "retake":
                raise Stopped(UNUSABLE_PICTURES, f"照片不能用 · the pictures cannot be used: {reason}", ways=ways)
            return str(outcome["decision"])

    def declare(self) -> None:
        """The complete declaration, which alone fixes `declared_at`."""
        with self._teller.step("申报居住登记", "the residence is declared") as notes:
            body = {"move_in_on": self._today.isoformat(), "reason": "204", "hukou_division": self.person.division}
            path = f"/registrations/{self.registration_id}/declaration"
            shown = self.api.post(path, body, key=secrets.token_hex(16))
            notes.append(f"{shown['declared_at']}  居住证 · permit from {shown['permit_from']}")

    def await_key(self) -> None:
        """The key is active and the lock has confirmed that it knows it."""
        with self._teller.step("钥匙生效，门锁确认", "the key is active, the lock has confirmed it") as notes:
            self._teller.wait("钥匙生效 · key active", lambda: True if self.key()["state"] == "active" else None)
            door = self._teller.wait("门锁确认 · confirmed by the lock", self._confirmed_door)
            notes.append(f"门锁 · lock {door['lock_id'][-12:]}  {door['confirmed_at']}")

    def key(self) -> Any:
        """The key as the platform shows it."""
        return self.api.get(f"/keys/{self.key_id}")

    def registration(self) -> Any:
        """The registration as the platform shows it."""
        return self.api.get(f"/registrations/{self.registration_id}")["registration"]

    def _invitation(self) -> str | None:
        return next((text for text in self.api.messages(self.person.phone) if "/i/" in text), None)

    def _confirmed_door(self) -> Any:
        return next((door for door in self.key()["doors"] if door["confirmed_at"]), None)

    def _compare(self, pictures: Pictures, notes: list[str]) -> Any:
        for _ in range(TRIES_WHILE_BUSY):
            hashed = sha256(pictures.document).hexdigest()
            challenge = self.api.post("/identity/challenges", {"document_sha256": hashed})
            frames = burst_of(pictures.selfie, challenge["actions"])
            notes[:] = [
                f"动作 · actions: {', '.join(challenge['actions'])}",
                f"{len(frames)} 张连拍由自拍照生成 · frames made from the selfie, not recorded",
            ]
            fields = {
                "challenge_id": challenge["id"],
                "nonce": challenge["nonce"],
                "times": json.dumps([frame.at_ms for frame in frames]),
            }
            files = [("document", ("document.jpg", pictures.document, "image/jpeg"))]
            files += [("frames", (f"{n}.jpg", frame.jpeg, "image/jpeg")) for n, frame in enumerate(frames)]
            try:
                return self.api.upload("/identity/checks", fields, files)
            except Problem as problem:
                if problem.code != "face.busy":
                    raise
                self._teller.pause("核验繁忙 · the face check is busy", problem.retry_after or 5)
        raise Stopped(1, "核验一直繁忙 · the face check stayed busy")
