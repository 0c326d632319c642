"""The lock's side of the near link: greeting, the order of checks, the answer. Works without any network.

Outside one small family the phone is told nothing of why; the exact reason stands in the lock's signed event alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from backend.wire import codec, near_messages, tokens
from backend.wire.jwk import base64url, public_key_from_jwk, thumbprint
from backend.wire.lock_documents import PLATFORM, Activation, Credential, Delegate, LockState, Receipt, document_from
from backend.wire.near_messages import NONCE_SECONDS, Answer, Challenge, Collect, Hello, Request
from device_sim.boxes import Boxes
from device_sim.clock import Moment
from device_sim.delegation import read_delegated, refuse_delegated
from device_sim.errands import NOTHING, Errand
from device_sim.held_keys import refuse_life

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
    """What all conversations with one lock share: the count of wrong proofs, and the boxes.

    Five of them raise lockout.started; until it ends wrong ones are no longer recorded one by one, so that nobody can
    wash the log away. A right key is never kept waiting by it. `overheard` is the last M3 that went through the air:
    what a bystander could have recorded, kept for the simulator's attacks alone.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._wrong = 0
        self._lockout_ends = NEVER
        self.boxes = Boxes()
        self.overheard: bytes | None = None

    def greet(self) -> NearConversation:
        """A phone has come near."""
        return NearConversation(self._lock, self)

    def count_wrong_proof(self) -> bool:
        """Count a wrong proof; answers whether it is to be recorded."""
        if self._lockout_ends != NEVER:
            return False
        self._wrong += 1
        if self._wrong >= WRONG_PROOFS:
            self._lockout_ends = self._lock.clock.ticks() + LOCKOUT_SECONDS
            self._lock.record("lockout.started", via="near")
        return True

    def forget_wrong_proofs(self) -> None:
        """A right key was shown."""
        if self._lockout_ends == NEVER:
            self._wrong = 0

    def due_at(self) -> float:
        """When the lockout ends, by the counter."""
        return self._lockout_ends

    def tick(self, now: float) -> None:
        """End the lockout in its time."""
        if now >= self._lockout_ends:
            self._wrong, self._lockout_ends = 0, NEVER
            self._lock.record("lockout.ended", via="near")


class NearConversation:
    """One conversation: M1 → M2, then M3 → M4. The nonce is good for one M3 within ten seconds.

    A phone whose key was honoured may go on with Collect; a stranger does not make the lock sign and seal for nothing.
    """

    def __init__(self, lock: Lock, door: NearDoor) -> None:
        self._lock = lock
        self._door = door
        self._greeting: tuple[bytes, bytes] | None = None
        self._nonce = ""
        self._until = 0.0
        self._errand: Errand | None = None

    @property
    def is_greeted(self) -> bool:
        """Whether M1 has been answered and M3 is awaited."""
        return self._greeting is not None

    def hello(self, m1: bytes) -> bytes:
        """Answer M1 with M2, Leave and Fetch from the lock's boxes, Collect with the next item of the errand.

        After all but M1 the phone may begin again.

        Raises MessageRejected when it is no greeting of our version.
        """
        greeting = near_messages.decode_greeting(m1)
        if isinstance(greeting, Collect):
            return codec.encode(NOTHING if self._errand is None or self._is_outlived() else self._errand.next())
        if not isinstance(greeting, Hello):
            return codec.encode(self._door.boxes.answer(greeting, self._lock.clock.ticks()))
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
        self._greeting, self._until = (m1, m2), lock.clock.ticks() + NONCE_SECONDS
        return m2

    def request(self, m3: bytes) -> bytes:
        """Answer M3 with M4, opening the door or not. Raises MessageRejected when it is no request."""
        request = near_messages.decode_request(m3)
        self._door.overheard = m3
        credential = None
        try:
            greeting, nonce = self._use_nonce()
            self._take_carried(request, nonce)
            credential, delegate = self._read_credential(request)
            note = self._check(request, credential, delegate, greeting)
            result, seq = self._open(request, credential, note)
            self._errand = Errand(self._lock) if result in ("opened", "locked") else None
        except NearRefused as refused:
            result, seq = self._refuse(credential, refused.reason)
        head = base64url(self._lock.log.hash_at(seq) if seq else self._lock.log.head)
        receipt = Receipt(
            self._lock.identity.lock_id, self._nonce, result, near_messages.digest(request.credential), seq, head
        )
        return codec.encode(Answer(result, self._lock.sign("nearreceipt", receipt)))

    def _use_nonce(self) -> tuple[tuple[bytes, bytes], str]:
        greeting, self._greeting = self._greeting, None
        if greeting is None or self._is_outlived() or self._lock.clock.ticks() >= self._until:
            raise NearRefused("stale_nonce")
        return greeting, self._nonce

    def _is_outlived(self) -> bool:
        """Whether the lock has started again since: nothing of before counts."""
        return self._lock.near is not self._door

    def _take_carried(self, request: Request, nonce: str) -> None:
        """Documents the phone carries are the platform's word, whoever carries them; a bad one changes nothing."""
        lock = self._lock
        for take, token in (
            (lambda token: lock.take_time(token, nonce), request.time),
            (lock.take_revocation, request.revocation),
            (lock.take_key_list, request.keys),
            (lock.take_acknowledgement, request.ack),
        ):
            if token is not None:
                try:
                    take(token)
                except tokens.TokenRejected as rejected:
                    lock.rejected[rejected.reason] += 1

    def _read_credential(self, request: Request) -> tuple[Credential, Delegate | None]:
        """Signature by a trusted key or by its delegate, then audience. The life is judged later."""
        lock = self._lock
        try:
            if request.delegate is None:
                return lock.verified("ekey", request.credential, Credential), None
            delegate, credential = read_delegated(lock, request.delegate, request.credential)
        except tokens.TokenRejected as rejected:
            raise NearRefused(rejected.reason) from None
        # whatever a landlord's phone says: no grace, and no codes before the platform knows the key
        return replace(credential, grc=None, pad=None), delegate

    def _check(
        self, request: Request, credential: Credential, delegate: Delegate | None, greeting: tuple[bytes, bytes]
    ) -> str | None:
        """The order of checks, cheap first, after the credential's signature; answers a note for the event."""
        lock, moment = self._lock, self._lock.clock.moment()
        if credential.unknown_demand():
            raise NearRefused("unknown_demand")
        activation = self._read_activation(request, credential) if "idv" in (credential.cond or ()) else None
        self._check_proof(request, credential, greeting)
        if delegate is not None:
            self._stop(refuse_delegated(lock, delegate, credential))
        self._stop(lock.keys.refuse_credential(credential, request.action, moment, lock.heard_at))
        if activation is not None:
            self._stop(self._refuse_activation_life(activation, credential, moment))
        self._stop(lock.body.refuse())
        return "outage_grace" if moment.at >= credential.exp else None

    @staticmethod
    def _stop(refused: str | None) -> None:
        if refused is not None:
            raise NearRefused(refused)

    def _check_proof(self, request: Request, credential: Credential, greeting: tuple[bytes, bytes]) -> None:
        key = public_key_from_jwk(credential.cnf.jwk)
        try:
            near_messages.check_proof(request.proof, key, *greeting, request.action, request.credential)
        except tokens.TokenRejected:
            if self._door.count_wrong_proof():
                raise NearRefused("wrong_proof") from None
            raise NearRefused("") from None
        self._door.forget_wrong_proofs()

    def _read_activation(self, request: Request, credential: Credential) -> Activation:
        """The platform's word on the very phone that the credential names."""
        if request.activation is None:
            raise NearRefused("no_activation")
        try:
            claims = tokens.verify("activation", request.activation, self._lock.trust)
            activation = document_from(Activation, claims)
        except tokens.TokenRejected:
            raise NearRefused("bad_activation") from None
        holder, meant = (thumbprint(public_key_from_jwk(each.cnf.jwk)) for each in (activation, credential))
        if activation.iss != PLATFORM or holder != meant:
            raise NearRefused("bad_activation")
        return activation

    def _refuse_activation_life(self, activation: Activation, credential: Credential, moment: Moment) -> str | None:
        """It lives as long as its credential may, outage grace included."""
        heard_at = self._lock.heard_at
        refused = refuse_life(activation.nbf, activation.exp, credential.grc or 0, moment, heard_at)
        return None if refused is None else "bad_activation" if refused == "not_yet_valid" else refused

    def _open(self, request: Request, credential: Credential, note: str | None) -> tuple[str, int]:
        """Persist the raised epoch and the use, then actuate, then write the event."""
        lock = self._lock
        if lock.keys.raise_epoch(credential.occ):
            lock.session.report_keys()
        lock.keys.remember(credential)
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
