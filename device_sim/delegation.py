"""A landlord's word without network: a credential signed by a phone that the platform has named for a few days.

Two signatures make it: the platform's over the delegate, the delegate's over the credential. One step and no more: a
delegate signed by a delegate is signed by nobody the lock trusts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.wire import tokens
from backend.wire.jwk import public_key_from_jwk, thumbprint
from backend.wire.lock_documents import Credential, Delegate, document_from

if TYPE_CHECKING:
    from device_sim.lock import Lock

MAY_GIVE = {"unlock", "lock"}


def read_delegated(lock: Lock, delegate_token: str, credential_token: str) -> tuple[Delegate, Credential]:
    """Both documents, each signed by whom it must be and meant for this lock.

    Only the delegate is the platform's word and counts as having heard from it. Raises TokenRejected.
    """
    delegate = lock.verified("delegate", delegate_token, Delegate)
    key = public_key_from_jwk(delegate.cnf.jwk)
    claims = tokens.verify("ekey", credential_token, {thumbprint(key): key}, audience=lock.identity.lock_id)
    return delegate, document_from(Credential, claims)


def refuse_delegated(lock: Lock, delegate: Delegate, credential: Credential) -> str | None:
    """Why the delegate may not have given this credential, or None.

    It lies within the delegate's life and has no outage grace; so when it is judged by the clock, the delegate is too.
    """
    if delegate.jti in lock.keys.revoked:
        return "delegate_revoked"
    if credential.iss != delegate.jti:
        return "delegate_other"
    if credential.occ != delegate.occ:
        return "delegate_epoch"
    if credential.nbf < delegate.nbf or credential.exp > delegate.exp:
        return "delegate_life"
    if not set(credential.rights) <= MAY_GIVE:
        return "delegate_rights"
    if "idv" not in (credential.cond or ()):
        return "delegate_identity"
    phone = thumbprint(public_key_from_jwk(credential.cnf.jwk))
    return "delegate_key" if lock.keys.is_of_another_phone(credential.sub, phone) else None
