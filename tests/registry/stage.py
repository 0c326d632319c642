"""Where the registry's tests play: the real app in this process, and a sender who signs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx
from werkzeug.test import TestResponse

from backend.gateways.registry_client import HttpRegistryClient
from backend.registry.__main__ import prepare
from backend.registry.app import create_registry_app
from backend.registry.batches import Registry
from backend.registry.judging import process_once
from backend.registry.settings import RegistrySettings
from backend.wire import tokens
from backend.wire.jwk import keys_to_jwks, make_private_key, thumbprint
from backend.wire.receipts import Receipt, verify_receipt
from backend.wire.registry_answers import BatchStatus, ItemResult
from backend.wire.registry_messages import Item, signing_input, write_time
from tests.wire.registry_makers import make_batch

BOTH = ["sqlite", "postgresql"]
NOW = datetime(2026, 11, 23, 2, 0, 30, tzinfo=UTC)


def prepare_template(folder: Path, database_url: str = "") -> Path:
    """Migrate a registry once; every test copies it."""
    prepare(settings_in(folder, database_url))
    return folder


def settings_in(folder: Path, database_url: str = "") -> RegistrySettings:
    """Settings of a registry in `folder`, on SQLite there unless another database is named."""
    named = {"ANJU_REGISTRY_DATABASE_URL": database_url} if database_url else {}
    return RegistrySettings.from_environment({"ANJU_REGISTRY_VAR": str(folder), "ANJU_DEMO": "1", **named})


class Signer:
    """A sender's key: role BodySigner."""

    def __init__(self) -> None:
        self.key = make_private_key()
        self.kid = thumbprint(self.key.public_key())

    def sign_body(self, body: bytes) -> str:
        """Detached signature over these bytes."""
        return tokens.sign_detached(body, self.key, self.kid)

    def jwk(self, **more: Any) -> dict[str, Any]:
        """The public half as a member of a JWK set."""
        return {**keys_to_jwks({self.kid: self.key.public_key()})["keys"][0], **more}


class Stage:
    """A registry, its sender and the sender's client."""

    def __init__(self, var: Path, database_url: str = "") -> None:
        self.settings = settings_in(var, database_url)
        self.now = NOW
        self.wall = lambda: datetime.now(UTC)  # what signatures are held against; a test may set another
        self.slept: list[float] = []
        self._filed = 0
        self.signer = Signer()
        self.trust(self.signer.jwk())
        self.app = create_registry_app(
            self.settings,
            clock=lambda: self.now,
            start_processor=False,
            sleep=self.slept.append,
            wall=lambda: self.wall(),
        )
        self.registry: Registry = self.app.extensions["registry"]
        self.http = self.app.test_client()
        self.client = self.client_of(self.signer)

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.registry.database.engine.dispose()

    def trust(self, *jwks: Mapping[str, Any]) -> None:
        """Let the registry know exactly these senders."""
        self.settings.senders.parent.mkdir(exist_ok=True)
        self.settings.senders.write_text(json.dumps({"keys": list(jwks)}))

    def client_of(self, signer: Signer) -> HttpRegistryClient:
        """The real client against this app, in this process."""
        return HttpRegistryClient(
            "http://registry.test", signer, self.settings.public_keys, transport=httpx.WSGITransport(app=self.app)
        )

    def judge(self) -> int:
        """Judge everything that is due; answers how many items."""
        total = 0
        while judged := process_once(self.registry):
            total += judged
        return total

    def move(self, **step: float) -> None:
        """Let time pass."""
        self.now += timedelta(**step)

    def file(self, *items: Item, key: str | None = None) -> BatchStatus:
        """File items in one batch and judge them."""
        batch = make_batch(*items)
        self._filed += 1
        received = self.client.submit(batch, key or f"key-{self._filed:016d}")
        self.judge()
        return self.client.batch_status(received.batch_id)

    def file_one(self, item: Item) -> ItemResult:
        """File one item and answer its result."""
        (result,) = self.file(item).items
        self.move(seconds=1)
        return result

    def receipt_of(self, result: ItemResult) -> Receipt:
        """The verified receipt of a result."""
        assert result.state in ("ACCEPTED", "DUPLICATE"), result
        return verify_receipt(result.receipt_sig or "", self.client.receipt_keys())

    def switch_on(self, name: str, **params: Any) -> None:
        """Let a failure show."""
        self.registry.faults.switch_on(name, params)

    def call(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        key: str = "",
        signed: bytes | None = None,
        signer: Signer | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Make a raw call, signed as told: `signed` is what the signature covers instead of this call."""
        signed_at = write_time(datetime.now(UTC))
        covered = signing_input(method, target, key, body, signed_at) if signed is None else signed
        given = {
            "X-Schema": "rr/1.0",
            "X-Signed-At": signed_at,
            "X-Body-Signature": (signer or self.signer).sign_body(covered),
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
            **(headers or {}),
        }
        return self.http.open(target, method=method, data=body, headers=given)
