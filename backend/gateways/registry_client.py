"""Role RegistryClient: the residence registry's contract (registry.md) as one process sees it, real and fake.

`HttpRegistryClient` speaks to whatever stands behind ANJU_REGISTRY_URL, the stand-in or a connector written against
the provincial texts; mutual TLS comes from its settings. It decides nothing: what an answer means is the service's.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

import httpx

from backend.wire.jwk import PublicKeys, keys_from_jwks
from backend.wire.registry_answers import (
    BatchStatus,
    Change,
    Digest,
    HeldRecord,
    ItemResult,
    Received,
    decode_batch_status,
    decode_changes,
    decode_digest,
    decode_problem,
    decode_received,
    decode_record,
    decode_result,
)
from backend.wire.registry_codes import ItemError, item_error
from backend.wire.registry_messages import (
    PURPOSE,
    SCHEMA,
    SIGNATURE_HEADER,
    SIGNED_AT_HEADER,
    Batch,
    Item,
    MessageRefused,
    canonical_json,
    read_object,
    read_time,
    signing_input,
    write_time,
)

Answer = TypeVar("Answer")


class RegistryUnavailable(Exception):
    """No usable answer: what became of the call is not known, and it may be made again as it was.

    `reason` is one of connect, timeout, unreadable, http_5xx; or, when no TLS came about, tls_expired, tls_wrong_host,
    tls_untrusted (their certificate: too old, another's, of an authority we do not know), tls_refused (ours was not
    taken), tls (something else). It is safe to log.
    """

    def __init__(self, reason: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.retry_after_seconds = reason, retry_after_seconds


class RegistryRefused(Exception):
    """The registry refuses the call itself; making it again unchanged is of no use."""

    def __init__(self, status: int, errors: Sequence[ItemError]) -> None:
        super().__init__(f"{status} {', '.join(error.code for error in errors)}")
        self.status, self.errors = status, tuple(errors)

    @property
    def code(self) -> str:
        """The first code, or the status when a refusal came without one."""
        return self.errors[0].code if self.errors else f"http_{self.status}"


@dataclass(frozen=True)
class RegistryRead:
    """Someone at the registry read a record."""

    at: datetime
    office: str
    badge: str
    purpose: str


class BodySigner(Protocol):
    """The part of TokenSigner this client needs."""

    def sign_body(self, body: bytes) -> str:
        """Detached signature over these bytes."""
        ...


class RegistryClient(Protocol):
    """Asks the registry. Every call raises RegistryUnavailable or RegistryRefused."""

    def validate(self, items: Sequence[Item]) -> list[ItemResult]:
        """Dry run: what would become of each item; nothing is stored."""
        ...

    def submit(self, batch: Batch, idempotency_key: str) -> Received:
        """Send a batch. The answer says received, never accepted."""
        ...

    def batch_status(self, batch_id: str) -> BatchStatus:
        """How far a batch is."""
        ...

    def find_record(self, record_id: str) -> HeldRecord | None:
        """What the registry holds of one of our records; None when it knows none."""
        ...

    def void(self, item: Item, idempotency_key: str) -> ItemResult:
        """Declare a record entered in error, at once."""
        ...

    def changes(self, cursor: str) -> tuple[list[Change], str]:
        """Corrections made there since `cursor` ('0' at first), and the cursor to go on from."""
        ...

    def digest(self, day: date, town: str, *, listed: bool = False) -> Digest:
        """Count and root of a day and town; the ids too when `listed`."""
        ...

    def codes(self, table: str, since: int = 0) -> dict[str, Any]:
        """A code table's entries changed after version `since`, and its version."""
        ...

    def list_reads(self, record_id: str) -> list[RegistryRead]:
        """Who read a record at the registry."""
        ...

    def receipt_keys(self) -> PublicKeys:
        """The keys receipts verify with, from a file of our own: never from the one whose receipts are checked."""
        ...


class HttpRegistryClient:
    """The registry over HTTP(S): every call signed, mutual TLS when a certificate is set."""

    def __init__(
        self,
        url: str,
        signer: BodySigner,
        keys_file: Path,
        *,
        client_cert: str = "",
        client_key: str = "",
        ca: str = "",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url, self._signer, self._keys_file = url.rstrip("/"), signer, keys_file
        self._certificate, self._ca, self._transport = (client_cert, client_key), ca, transport
        self._making = threading.Lock()
        self._made: httpx.Client | None = None

    def validate(self, items: Sequence[Item]) -> list[ItemResult]:
        body = Batch(PURPOSE, tuple(items)).to_bytes()
        return self._call("POST", "/v1/validate", _decode_results, body)

    def submit(self, batch: Batch, idempotency_key: str) -> Received:
        return self._call("POST", "/v1/batches", decode_received, batch.to_bytes(), idempotency_key)

    def batch_status(self, batch_id: str) -> BatchStatus:
        return self._call("GET", f"/v1/batches/{batch_id}", decode_batch_status)

    def find_record(self, record_id: str) -> HeldRecord | None:
        try:
            return self._call("GET", f"/v1/records/{record_id}", decode_record)
        except RegistryRefused as refused:
            if refused.status == 404 and refused.code == "4004":
                return None
            raise

    def void(self, item: Item, idempotency_key: str) -> ItemResult:
        body = canonical_json(item.as_json())
        target = f"/v1/records/{item.record_id}/void"
        return self._call("POST", target, lambda answer: decode_result(read_object(answer)), body, idempotency_key)

    def changes(self, cursor: str) -> tuple[list[Change], str]:
        return self._call("GET", f"/v1/changes?cursor={cursor}", decode_changes)

    def digest(self, day: date, town: str, *, listed: bool = False) -> Digest:
        suffix = "&list=1" if listed else ""
        return self._call("GET", f"/v1/digest?day={day.isoformat()}&town={town}{suffix}", decode_digest)

    def codes(self, table: str, since: int = 0) -> dict[str, Any]:
        return self._call("GET", f"/v1/codes/{table}?since={since}", _decode_codes)

    def list_reads(self, record_id: str) -> list[RegistryRead]:
        return self._call("GET", f"/v1/access?record={record_id}", _decode_reads)

    def receipt_keys(self) -> PublicKeys:
        return read_receipt_keys(self._keys_file)

    def close(self) -> None:
        """End the connections that were kept; the next call makes new ones."""
        with self._making:
            if self._made is not None:
                self._made.close()
                self._made = None

    def _call(
        self,
        method: str,
        target: str,
        decode: Callable[[bytes], Answer],
        body: bytes = b"",
        key: str = "",
    ) -> Answer:
        signed_at = write_time(datetime.now(UTC))  # of the line, not of what is told: a machine's own time
        headers = {
            "X-Schema": SCHEMA,
            SIGNED_AT_HEADER: signed_at,
            SIGNATURE_HEADER: self._signer.sign_body(signing_input(method, target, key, body, signed_at)),
            "Accept": "application/json",
        }
        if body:
            headers["Content-Type"] = "application/json"
        if key:
            headers["Idempotency-Key"] = key
        try:
            answer = self._client().request(method, self._url + target, content=body or None, headers=headers)
        except httpx.TimeoutException:
            raise RegistryUnavailable("timeout") from None
        except httpx.HTTPError as error:
            raise RegistryUnavailable(_reason_of(str(error))) from None
        return _read(answer, decode)

    def _client(self) -> httpx.Client:
        with self._making:
            if self._made is None:
                self._made = httpx.Client(
                    transport=self._transport,
                    verify=self._trust(),
                    timeout=httpx.Timeout(10.0, connect=3.0),
                    trust_env=False,  # a proxy named in the environment must not see what is declared
                )
            return self._made

    def _trust(self) -> ssl.SSLContext | bool:
        if not self._url.startswith("https://"):
            return False  # nothing to verify, and loading a trust store takes time
        context = ssl.create_default_context(cafile=self._ca or None)
        certificate, key = self._certificate
        if certificate:
            context.load_cert_chain(certificate, key or None)
        return context


# what the TLS library says -> our word; the first that fits
_TLS_WORDS = (
    ("certificate has expired", "tls_expired"),
    ("ostname mismatch", "tls_wrong_host"),
    ("IP address mismatch", "tls_wrong_host"),
    ("CERTIFICATE_VERIFY_FAILED", "tls_untrusted"),
    ("_ALERT_", "tls_refused"),
)


def _reason_of(said: str) -> str:
    if "SSL" not in said and "TLS" not in said:
        return "connect"
    return next((word for part, word in _TLS_WORDS if part in said), "tls")


def read_receipt_keys(path: Path) -> PublicKeys:
    """Read the registry's published keys (JWKS); empty when the file is not there yet or is being replaced."""
    try:
        return keys_from_jwks(json.loads(path.read_text()))
    except (OSError, ValueError):
        return {}


def _read(answer: httpx.Response, decode: Callable[[bytes], Answer]) -> Answer:
    if answer.status_code >= 500 or answer.status_code in (408, 425, 429):
        raise RegistryUnavailable(f"http_{answer.status_code}", _retry_after(answer.headers))
    if answer.status_code >= 300:
        raise RegistryRefused(answer.status_code, decode_problem(answer.content))
    try:
        return decode(answer.content)
    except MessageRefused:
        raise RegistryUnavailable("unreadable") from None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() else None


def _decode_results(body: bytes) -> list[ItemResult]:
    items = read_object(body).get("items")
    if not isinstance(items, list):
        raise MessageRefused(item_error("1102", "/items"))
    return [decode_result(item) for item in items]


def _decode_reads(body: bytes) -> list[RegistryRead]:
    rows = read_object(body).get("reads")
    try:
        read = [RegistryRead(read_time(r["at"]), r["office"], r["badge"], r["purpose"]) for r in rows or ()]
        if rows is None or not all(isinstance(t, str) for r in read for t in (r.office, r.badge, r.purpose)):
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise MessageRefused(item_error("1102", "/reads")) from None
    return read


def _decode_codes(body: bytes) -> dict[str, Any]:
    raw = read_object(body)
    entries = raw.get("entries")
    texts = ("code", "zh", "en", "valid_from")
    sound = (
        isinstance(raw.get("table"), str)
        and type(raw.get("version")) is int
        and isinstance(entries, list)
        and all(isinstance(e, dict) and all(isinstance(e.get(name), str) for name in texts) for e in entries)
    )
    if not sound:
        raise MessageRefused(item_error("1102", "/entries"))
    return raw
