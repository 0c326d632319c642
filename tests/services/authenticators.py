"""A device that holds passkeys, in software: makes them and answers as a browser would hand it on."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40  # flags of authenticator data (WebAuthn level 3, 6.1)


class Device:
    """One device with one passkey; `verifies` False: nobody showed a finger or typed a PIN."""

    def __init__(self, origin: str = "http://localhost:8001", verifies: bool = True) -> None:
        self.origin, self.verifies, self.count = origin, verifies, 0
        self.id = secrets.token_bytes(16)
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: str) -> str:
        """The browser's answer to a question for a new passkey."""
        asked = json.loads(options)
        numbers = self._key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        held = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(cose)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(asked["rp"]["id"], ATTESTED) + held}
        client = self._client("webauthn.create", asked["challenge"])
        return self._write(client, attestationObject=cbor2.dumps(attestation))

    def answer(self, options: str) -> str:
        """The browser's answer to a question for this passkey."""
        asked = json.loads(options)
        self.count += 1
        client = self._client("webauthn.get", asked["challenge"])
        data = self._data(asked["rpId"], 0)
        signature = self._key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._write(client, authenticatorData=data, signature=signature)

    def _data(self, party: str, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return sha256(party.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _write(self, client: bytes, **parts: Any) -> str:
        own = bytes_to_base64url(self.id)
        response = {name: bytes_to_base64url(value) for name, value in {"clientDataJSON": client, **parts}.items()}
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response,
                           "clientExtensionResults": {}})  # fmt: skip
