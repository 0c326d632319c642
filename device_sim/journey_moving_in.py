"""The tenant's scenes until the key works: invitation, notice, identity, face, declaration."""

from __future__ import annotations

import secrets
from datetime import date
from typing import Any

from device_sim.journey_clients import Api
from device_sim.journey_face import FaceCheck, Pictures
from device_sim.journey_people import Invented
from device_sim.journey_teller import Teller
from device_sim.phone import Phone


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
            return FaceCheck(self.api, self._teller, pictures).decide(notes)

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
