"""WebAuthn (W3C, level 3) as this console uses it: what a browser is asked for, and whether its answer is right.

Passkeys are bound to the console's address, ask the device for a fingerprint, face or PIN (so one is two factors), and
carry no attestation: which make somebody's device is of does not matter here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

LIFE_MS = 120_000  # of a question in the browser; its challenge lives as long
_NAME = "安居 Anju"
_REQUIRED = UserVerificationRequirement.REQUIRED


class PasskeyRefused(Exception):
    """The browser's answer is not a right one; why is of no use to whoever sent it."""


@dataclass(frozen=True)
class RelyingParty:
    """The console as passkeys know it: its host name and its origin (scheme, host, port)."""

    id: str
    origin: str


@dataclass(frozen=True)
class NewPasskey:
    """The public half of a passkey just made; `public_key` is a COSE key (RFC 9053)."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def relying_party(console_url: str) -> RelyingParty | None:
    """The console of an address, or None where browsers allow no passkeys: by http, or by a bare IP address."""
    parts = urlsplit(console_url)
    host = parts.hostname or ""
    try:
        ip_address(host)
    except ValueError:
        secure = parts.scheme == "https" or host == "localhost"
        return RelyingParty(host, f"{parts.scheme}://{parts.netloc}") if secure and host else None
    return None


def registration_options(
    party: RelyingParty, officer_id: str, login: str, name: str, challenge: bytes, known: Sequence[bytes]
) -> str:
    """The question for a new passkey, as JSON; devices that hold one of `known` make no second one."""
    options = generate_registration_options(
        rp_id=party.id,
        rp_name=_NAME,
        user_id=officer_id.encode(),
        user_name=login,
        user_display_name=name,
        challenge=challenge,
        timeout=LIFE_MS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return options_to_json(options)


def read_registration(party: RelyingParty, credential: str, challenge: bytes) -> NewPasskey:
    """The new passkey in a browser's answer. Raises PasskeyRefused."""
    try:
        made = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    return NewPasskey(made.credential_id, made.credential_public_key, made.sign_count)


def question(party: RelyingParty, challenge: bytes, allowed: Sequence[bytes] = ()) -> str:
    """The question for a passkey there is, as JSON; without `allowed` the device offers those it holds."""
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=LIFE_MS,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in allowed],
        user_verification=_REQUIRED,
    )
    return options_to_json(options)


def credential_id_of(credential: str) -> bytes:
    """Which passkey a browser's answer speaks of. Raises PasskeyRefused when it cannot be read."""
    try:
        return base64url_to_bytes(json.loads(credential)["id"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PasskeyRefused from error


def check_answer(party: RelyingParty, credential: str, challenge: bytes, public_key: bytes, sign_count: int) -> int:
    """The passkey's new count of signatures. Raises PasskeyRefused for a wrong answer or a count that went back."""
    try:
        checked = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    return checked.new_sign_count
