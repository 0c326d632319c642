"""The lock's side of the near link: greeting, the order of checks, the answer. Works without any network.

Outside one small family the phone is told nothing of why; the exact reason stands in the lock's signed event alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, jwk_of, public_key_from_jwk
from backend.wire.lock_documents import PLATFORM, Activation, Credential, LockState, Receipt, document_from
from backend.wire.near_messages import NONCE_SECONDS, Answer, Challenge, Request
from device_sim.clock import Moment

if TYPE_CHECKING:
    from device_sim.lock import Lock

WRONG_PROOFS = 5
LOCKOUT_SECONDS = 60
NEVER = float("inf")


class NearRefused(Exception):
    """The door stays as it is; `reason` goes into the event, never to the phone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NearDoor:
    """What all conversations with one lock share: the count of wrong proofs.

    Five of them raise lockout.started; until it ends wrong ones are no longer recorded one by one, so that nobody can
    wash the log away. A right key is never kept waiting by it.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._wrong = 0
        self._lockout_ends = NEVER

    def greet(self) -> NearConversation:
        """A phone has come near."""
        return NearConversation(self._lock, self)

    def count_wrong_proof(self) -> bool:
        """Count a wrong proof; answers whether it is to be recorded."""
        if self._lockout_ends != NEVER:
            return False
        self._wrong += 1
        if self._wrong >= WRONG_PROOFS:
            self._lockout_ends = float(self._lock.clock.now() + LOCKOUT_SECONDS)
            self._lock.record("lockout.started", via="near")
        return True

    def forget_wrong_proofs(self) -> None:
        """A right key was shown."""
        if self._lockout_ends == NEVER:
            self._wrong = 0

    def due_at(self) -> float:
        """When the lockout ends."""
        return self._lockout_ends

    def tick(self, now: float) -> None:
        """End the lockout in its time."""
        if now >= self._lockout_ends:
            self._wrong, self._lockout_ends = 0, NEVER
            self._lock.record("lockout.ended", via="near")


class NearConversation:
    """One conversation: M1 → M2, then M3 → M4. The nonce is good for one M3 within ten seconds."""

    def __init__(self, lock: Lock, door: NearDoor) -> None:
        self._lock = lock
        self._door = door
        self._greeting: tuple[bytes, bytes] | None = None
        self._nonce = ""
        self._until = 0.0

    def hello(self, m1: bytes) -> bytes:
        """Answer M1 with M2. Raises MessageRejected when it is no hello of our version."""
        near_messages.decode_hello(m1)
        lock, moment = self._lock, self._lock.clock.moment()
        self._nonce = base64url(lock.entropy(16))
        state = LockState(
            iss=lock.identity.lock_id,
            m1=near_messages.digest(m1),
            nonce=self._nonce,
            boot=lock.boot,
            clk=moment.at,
            q=moment.quality,
            unc=moment.uncertainty,
            occ=lock.keys.epoch,
            rev=lock.keys.revocation_version,
        )
        m2 = codec.encode(Challenge(lock.sign("nearhello", state)))
        self._greeting, self._until = (m1, m2), float(moment.at + NONCE_SECONDS)
        return m2

    def request(self, m3: bytes) -> bytes:
        """Answer M3 with M4, opening the door or not. Raises MessageRejected when it is no request."""
        request = near_messages.decode_request(m3)
        credential = None
        try:
            greeting, nonce = self._use_nonce()
            self._take_carried(request, nonce)
            credential = self._read_credential(request)
            reason = self._check(request, credential, greeting)
            result, seq = self._open(request, credential, reason)
        except NearRefused as refused:
            result, seq = self._refuse(credential, refused.reason)
        head = base64url(self._lock.log.hash_at(seq) if seq else self._lock.log.head)
        receipt = Receipt(
            self._lock.identity.lock_id, self._nonce, result, near_messages.digest(request.credential), seq, head
        )
        return codec.encode(Answer(result, self._lock.sign("nearreceipt", receipt)))

    def _use_nonce(self) -> tuple[tuple[bytes, bytes], str]:
        greeting, self._greeting = self._greeting, None
        if greeting is None or self._lock.clock.now() >= self._until:
            raise NearRefused("stale_nonce")
        return greeting, self._nonce

    def _take_carried(self, request: Request, nonce: str) -> None:
        """Documents the phone carries are the platform's word, whoever carries them; a bad one changes nothing."""
        lock = self._lock
        for take, token in (
            (lambda token: lock.take_time(token, nonce), request.time),
            (lock.take_revocation, request.revocation),
            (lock.take_key_list, request.keys),
        ):
            if token is not None:
                try:
                    take(token)
                except tokens.TokenRejected as rejected:
                    lock.rejected[rejected.reason] += 1

    def _read_credential(self, request: Request) -> Credential:
        """Signature by a trusted key, then audience. The life is judged later, with the outage grace."""
        try:
            return self._lock.verified("ekey", request.credential, Credential)
        except tokens.TokenRejected as rejected:
            raise NearRefused(rejected.reason) from None

    def _check(
        self, request: Request, credential: Credential, greeting: tuple[bytes, bytes]
    ) -> str | None:
        """The order of checks, cheap first, after the credential's signature; answers a note for the event."""
        lock, moment = self._lock, self._lock.clock.moment()
        if credential.unknown_demand():
            raise NearRefused("unknown_demand")
        if "idv" in (credential.cond or ()):
            self._check_activation(request, credential, moment)
        self._check_proof(request, credential, greeting)
        refused = lock.keys.refuse_credential(credential, request.action, moment)
        if refused is not None:
            raise NearRefused(refused)
        note = self._check_life(credential.exp, credential.grc, moment)
        refused = lock.body.refuse()
        if refused is not None:
            raise NearRefused(refused)
        return note

    def _check_proof(self, request: Request, credential: Credential, greeting: tuple[bytes, bytes]) -> None:
        key = public_key_from_jwk(credential.cnf.jwk)
        try:
            near_messages.check_proof(request.proof, key, *greeting, request.action, request.credential)
        except tokens.TokenRejected:
            if self._door.count_wrong_proof():
                raise NearRefused("wrong_proof") from None
            raise NearRefused("") from None
        self._door.forget_wrong_proofs()

    def _check_activation(self, request: Request, credential: Credential, moment: Moment) -> None:
        if request.activation is None:
            raise NearRefused("no_activation")
        try:
            claims = tokens.verify("activation", request.activation, self._lock.trust)
            activation = document_from(Activation, claims)
        except tokens.TokenRejected:
            raise NearRefused("bad_activation") from None
        same = jwk_of(public_key_from_jwk(activation.cnf.jwk)) == jwk_of(public_key_from_jwk(credential.cnf.jwk))
        if activation.iss != PLATFORM or not same or moment.at + moment.uncertainty < activation.nbf:
            raise NearRefused("bad_activation")
        self._check_life(activation.exp, credential.grc, moment)

    def _check_life(self, exp: int, grace_seconds: int | None, moment: Moment) -> str | None:
        """Within its life, or within the outage grace: nothing heard from the platform since before the end."""
        if moment.at < exp:
            return None
        if grace_seconds and self._lock.heard_at < exp and moment.at < exp + grace_seconds:
            return "outage_grace"
        raise NearRefused("expired")

    def _open(self, request: Request, credential: Credential, note: str | None) -> tuple[str, int]:
        """Persist the raised epoch and the use, then actuate, then write the event."""
        lock = self._lock
        if lock.keys.raise_epoch(credential.occ):
            lock.session.report_keys()
        if request.action == "unlock":
            lock.keys.count_use(credential.sub)
        lock.save()
        moved, seq = lock.move_bolt(request.action, key=credential.sub, command=None, via="near", reason=note)
        if not moved:
            return "refused", seq
        return ("opened" if request.action == "unlock" else "locked"), seq

    def _refuse(self, credential: Credential | None, reason: str) -> tuple[str, int]:
        seq = 0
        if credential is None:  # nobody we know: counted, but no stranger may fill the log
            self._lock.rejected[f"near_{reason}"] += 1
        elif reason:
            seq = self._lock.record("access.denied", key=credential.sub, via="near", reason=reason)
        return ("need_time" if reason == "need_time" else "refused"), seq
