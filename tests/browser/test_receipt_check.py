"""The public check of a receipt in a real browser: the verdicts of Python, from a page whose server has stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from backend.services.receipt_checks import check_receipt, published_keys
from backend.wire import tokens
from backend.wire.jwk import base64url, make_private_key, thumbprint
from backend.wire.receipts import qr_text, sign_receipt
from tests.browser.conftest import Phone
from tests.browser.key_stage import Server, mobile, server
from tests.wire.test_registry_receipts import RECEIPT

__all__ = ["mobile", "server"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

KEPT = """async () => !!(await navigator.serviceWorker.getRegistration('/r/'))?.active
  && !!(await caches.match('/static/receipt_check.js'))"""
JUDGE = """async ([texts, jwks]) => {
  const { checkReceipt } = await import('/static/receipt_check.js');
  return Promise.all(texts.map((text) => checkReceipt(text, jwks)));
}"""
# What a browser's own reader of QR codes would say, where it has one.
READER = "text => { window.BarcodeDetector = class { async detect() { return [{ rawValue: text }]; } }; }"


@pytest.fixture
def stranger(chromium: Any, server: Server) -> Iterator[Phone]:
    phone = Phone(chromium, server.base, "stranger", 320)
    yield phone
    phone.context.close()
    phone.complaints.require_none()


def alike(token: str, place: int) -> str:
    """The token with one letter changed."""
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def texts_to_judge(world: Any) -> list[str]:
    """Good and spoilt receipts, each as somebody may hold it out."""
    key, kid, other = world.registry._key, world.registry._kid, make_private_key()

    def sign(change: Callable[[dict[str, Any]], object] = lambda claims: None) -> str:
        claims = tokens.claims_unverified(sign_receipt(RECEIPT, key, kid))
        change(claims)
        return tokens.sign("receipt", claims, key, kid)

    good = sign()
    head, body, mark = good.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    headers = [
        {"alg": "none", "kid": kid, "typ": "receipt+jwt"},
        {"alg": "ES256", "kid": kid, "typ": "lockchk+jwt"},
        {"alg": "ES256", "kid": "nobody", "typ": "receipt+jwt"},
        {"alg": "ES256", "kid": kid, "typ": "receipt+jwt", "jku": "x"},
        {"alg": "ES256", "kid": 7, "typ": "receipt+jwt"},
    ]
    twice = f'{{"alg":"ES256","kid":"{kid}","kid":"{kid}","typ":"receipt+jwt"}}'
    changes: list[dict[str, object]] = [
        {"jti": "R-330522003-20261123-000123-4"}, {"jti": "R-330522003-20260230-000123-5"}, {"sub": "someone"},
        {"iss": "elsewhere"}, {"ver": True}, {"ver": "1"}, {"op": "DELETE"}, {"leg": "POLICE"}, {"hash": "00"},
        {"declared_at": "yesterday"}, {"declared_at": "2026-02-30T00:00:00Z"}, {"accepted_at": None},
    ]  # fmt: skip
    return [
        good, qr_text(good), f"https://anju.example/r/#{qr_text(good)}", f"<p>{good}</p>",
        sign(lambda claims: claims.update(op="CHECKOUT", ver=7)), sign(lambda claims: claims.update(leg="LANDLORD")),
        sign(lambda claims: claims.update(more="words")), "", "hello", RECEIPT.number,
        alike(good, len(head) // 2), alike(good, len(head) + len(body) // 2), alike(good, len(good) - 20),
        good[:-1] + alphabet[alphabet.index(good[-1]) + 1], good[:-3], f"{head}.{body}x.{mark}",
        f"{head}.{sign_receipt(replace(RECEIPT, record_version=2), key, kid).split('.')[1]}.{mark}",
        sign_receipt(RECEIPT, other, kid), sign_receipt(RECEIPT, other, thumbprint(other.public_key())),
        tokens.sign("lockchk", {"iss": "x", "iat": 1, "seq": 1, "head": "h", "boot": "b"}, key, kid),
        *(f"{base64url(json.dumps(each, separators=(',', ':')).encode())}.{body}.{mark}" for each in headers),
        f"{base64url(twice.encode())}.{body}.{mark}", good + "A" * 70_000,
        *(sign(lambda claims, change=change: claims.update(change)) for change in changes),  # type: ignore[misc]
        sign(lambda claims: claims.pop("hash")), sign(lambda claims: claims.pop("jti")),
    ]  # fmt: skip


def test_browser_and_server_say_the_same_of_every_receipt(stranger: Phone, world: Any) -> None:
    texts = texts_to_judge(world)
    stranger.page.goto("/r/")
    said = stranger.page.evaluate(JUDGE, [texts, published_keys(world)])
    ours = [check_receipt(world, text=text) for text in texts]
    assert [(each["valid"], each.get("reason")) for each in said] == [(each.valid, each.reason) for each in ours]
    assert sum(each.valid for each in ours) == 7 and len({each.reason for each in ours}) >= 9
    for theirs, mine in zip(said, ours, strict=True):
        facts = [theirs.get(name) for name in ("number", "leg", "op", "version")]
        assert facts == [mine.number, mine.leg, mine.op, mine.version]
    assert stranger.page.evaluate(JUDGE, [texts[:1], {"keys": []}]) == [{"valid": False, "reason": "no_keys"}]


def test_with_the_server_stopped_a_receipt_is_verified_and_a_changed_one_refused(
    stranger: Phone, server: Server, world: Any
) -> None:
    asked: list[str] = []
    stranger.page.on("request", lambda each: asked.append(each.url + (each.post_data or "")))
    token = sign_receipt(RECEIPT, world.registry._key, world.registry._kid)
    stranger.page.goto("/r/")
    stranger.wait_until(KEPT)
    server.stop()
    stranger.page.goto("about:blank")
    stranger.page.goto(f"/r/#{qr_text(token)}")
    stranger.sees("凭证是真的")
    stranger.sees(RECEIPT.number)
    stranger.sees("它不能证明的事")
    stranger.look("receipt-genuine-offline")
    assert "#" not in stranger.page.url
    stranger.fill(text=qr_text(alike(token, token.index(".") + 40)))
    stranger.tap("查验")
    stranger.sees("凭证被改动过")
    stranger.look("receipt-changed-offline")
    assert not stranger.page.get_by_text("凭证是真的").count()
    assert not [each for each in asked if token.split(".")[1] in each], "the receipt was sent somewhere"
    stranger.complaints.allow_no_network()


def test_a_code_is_read_by_the_camera_where_the_browser_can(stranger: Phone, world: Any) -> None:
    other = make_private_key()
    forged = sign_receipt(RECEIPT, other, thumbprint(other.public_key()))
    stranger.page.goto("/r/")
    assert not stranger.page.locator("[data-scan]").is_visible(), "no button that could not work"
    stranger.page.add_init_script(f"({READER})({json.dumps(qr_text(forged))})")
    stranger.page.reload()
    stranger.page.locator("[data-picture]").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": ONE_PIXEL}
    )
    stranger.sees("不是用登记机关公布的密钥签的")


ONE_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
