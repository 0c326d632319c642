"""Tokens: what is signed is what is read, and everything else is refused with its reason."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from backend.wire import jwk, tokens

KEY = jwk.make_private_key()
KID = jwk.thumbprint(KEY.public_key())
KEYS = {KID: KEY.public_key()}
CLAIMS = {"iss": "anju", "aud": "lock-1", "iat": 100, "nbf": 100, "exp": 130, "nonce": "n"}
HEADER = {"alg": "ES256", "typ": "locktime+jwt", "kid": KID}


def part(value: object) -> str:
    return jwk.base64url(json.dumps(value, separators=(",", ":")).encode())


def forge(header: dict[str, object], claims: object = CLAIMS, key: EllipticCurvePrivateKey = KEY) -> str:
    """A token with any header, signed rightly by `key` whatever the header says."""
    signing_input = f"{part(header)}.{part(claims)}"
    algorithm = jwt.get_algorithm_by_name("ES256")
    return f"{signing_input}.{jwk.base64url(algorithm.sign(signing_input.encode(), key))}"


def refused(token: str, **options: object) -> str:
    with pytest.raises(tokens.TokenRejected) as caught:
        tokens.verify("locktime", token, KEYS, **options)  # type: ignore[arg-type]
    assert caught.value.reason in tokens.REJECTIONS
    return caught.value.reason


def test_a_signed_token_gives_back_its_claims() -> None:
    token = tokens.sign("locktime", CLAIMS, KEY, KID)
    assert tokens.verify("locktime", token, KEYS, audience="lock-1", now=100) == CLAIMS
    assert tokens.key_id_of(token) == KID
    assert tokens.claims_unverified(token) == CLAIMS


def test_the_end_is_excluded_and_the_beginning_included() -> None:
    token = tokens.sign("locktime", CLAIMS, KEY, KID)
    assert refused(token, now=99) == "not_yet_valid"
    assert tokens.verify("locktime", token, KEYS, now=datetime.fromtimestamp(129, UTC))
    assert refused(token, now=130) == "expired"


def test_an_audience_may_be_one_of_several_but_never_another() -> None:
    token = tokens.sign("locktime", {**CLAIMS, "aud": ["lock-0", "lock-1"]}, KEY, KID)
    assert tokens.verify("locktime", token, KEYS, audience="lock-1")
    assert refused(token, audience="lock-2") == "wrong_audience"


def test_a_token_of_one_kind_is_never_taken_for_another() -> None:
    for kind in tokens.KINDS:
        if kind != "locktime":
            with pytest.raises(tokens.TokenRejected, match="wrong_kind"):
                tokens.verify(kind, tokens.sign("locktime", CLAIMS, KEY, KID), KEYS)


ATTACKS = {
    "no algorithm": ({"alg": "none"}, "wrong_algorithm"),
    "algorithm in capitals": ({"alg": "ES256 "}, "wrong_algorithm"),
    "another curve's algorithm": ({"alg": "ES384"}, "wrong_algorithm"),
    "a symmetric algorithm": ({"alg": "HS256"}, "wrong_algorithm"),
    "an algorithm that is no text": ({"alg": ["ES256"]}, "wrong_algorithm"),
    "its own key in the header": ({"jwk": jwk.jwk_of(KEY.public_key())}, "wrong_header"),
    "a key's address in the header": ({"jku": "https://example.org/k"}, "wrong_header"),
    "a certificate in the header": ({"x5c": ["AA"]}, "wrong_header"),
    "a critical extension": ({"crit": ["b64"], "b64": False}, "wrong_header"),
    "a kid that is a path": ({"kid": "../../dev/null"}, "unknown_key"),
    "a kid that is no text": ({"kid": 1}, "wrong_header"),
    "the type of a web token": ({"typ": "JWT"}, "wrong_kind"),
    "the type in other letters": ({"typ": "LockTime+JWT"}, "wrong_kind"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_header_with(name: str) -> None:
    change, reason = ATTACKS[name]
    assert refused(forge({**HEADER, **change})) == reason


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    signing_input = f"{part({**HEADER, 'alg': 'HS256'})}.{part(CLAIMS)}"
    secret = json.dumps(jwk.jwk_of(KEY.public_key())).encode()
    tag = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
    assert refused(f"{signing_input}.{jwk.base64url(tag)}") == "wrong_algorithm"


def test_another_key_a_changed_claim_and_an_empty_signature_are_refused() -> None:
    token = tokens.sign("locktime", CLAIMS, KEY, KID)
    head, _, signature = token.split(".")
    assert refused(forge(HEADER, key=jwk.make_private_key())) == "bad_signature"
    assert refused(f"{head}.{part({**CLAIMS, 'nonce': 'm'})}.{signature}") == "bad_signature"
    assert refused(f"{head}.{part(CLAIMS)}.") == "bad_signature"
    assert refused(f"{head}.{part(CLAIMS)}.{jwk.base64url(bytes(64))}") == "bad_signature"


def test_every_flipped_character_is_noticed() -> None:
    token = tokens.sign("locktime", CLAIMS, KEY, KID)
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        refused(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize(
    "token",
    ["", "a.b", "a.b.c.d", "....", "ä.b.c", "{}.{}.{}", "eyJhbGciOiJFUzI1NiJ9", part([1]) + ".e30.AA", "=" * 10],
)
def test_what_is_no_token_is_refused_as_malformed(token: str) -> None:
    assert refused(token) == "malformed"


def test_a_token_that_is_too_long_is_not_even_read() -> None:
    assert refused("a" * (tokens.LARGEST_TOKEN_BYTES + 1)) == "too_large"


@pytest.mark.parametrize("change", [{"exp": "130"}, {"iat": True}, {"nbf": -1}, {"iss": ""}, {"iss": 5}, {"exp": 1.5}])
def test_a_claim_of_a_wrong_type_is_refused_by_signer_and_reader(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="bad_claim"):
        tokens.sign("locktime", {**CLAIMS, **change}, KEY, KID)
    assert refused(forge(HEADER, {**CLAIMS, **change})) == "bad_claim"


def test_a_missing_claim_is_refused_by_signer_and_reader() -> None:
    short = {name: value for name, value in CLAIMS.items() if name != "nonce"}
    with pytest.raises(ValueError, match="missing_claim"):
        tokens.sign("locktime", short, KEY, KID)
    assert refused(forge(HEADER, short)) == "missing_claim"


def test_claims_that_are_a_list_or_name_something_twice_are_refused() -> None:
    assert refused(forge(HEADER, [1])) == "malformed"
    doubled = jwk.base64url(b'{"iss":"a","iss":"b"}')
    signing_input = f"{part(HEADER)}.{doubled}"
    signature = jwt.get_algorithm_by_name("ES256").sign(signing_input.encode(), KEY)
    assert refused(f"{signing_input}.{jwk.base64url(signature)}") == "malformed"


def test_a_detached_signature_holds_for_exactly_these_bytes() -> None:
    body = b'{"a": 1}\n' * 50_000
    signature = tokens.sign_detached(body, KEY, KID)
    assert ".." in signature
    assert tokens.verify_detached(signature, body, KEYS) == KID
    for wrong in (body[:-1], body + b" ", b""):
        with pytest.raises(tokens.TokenRejected, match="bad_signature"):
            tokens.verify_detached(signature, wrong, KEYS)
    with pytest.raises(tokens.TokenRejected, match="unknown_key"):
        tokens.verify_detached(signature, body, {})
    with pytest.raises(tokens.TokenRejected, match="malformed"):
        tokens.verify_detached(tokens.sign("locktime", CLAIMS, KEY, KID), body, KEYS)


def test_a_token_is_no_detached_signature_of_its_own_claims() -> None:
    token = tokens.sign("locktime", CLAIMS, KEY, KID)
    head, payload, signature = token.split(".")
    with pytest.raises(tokens.TokenRejected, match="wrong_kind"):
        tokens.verify_detached(f"{head}..{signature}", jwk.from_base64url(payload), KEYS)


def test_a_key_survives_pem_and_jwk_and_keeps_its_thumbprint() -> None:
    assert jwk.private_key_from_pem(jwk.private_key_to_pem(KEY)).private_numbers() == KEY.private_numbers()
    again = jwk.public_key_from_jwk(jwk.jwk_of(KEY.public_key()))
    assert jwk.thumbprint(again) == KID and len(KID) == 43
    assert list(jwk.keys_from_jwks(jwk.keys_to_jwks(KEYS))) == [KID]


def test_other_curves_private_jwks_and_points_off_the_curve_are_no_keys() -> None:
    good = jwk.jwk_of(KEY.public_key())
    for wrong in (
        {**good, "crv": "P-384"},
        {**good, "d": "AA"},
        {**good, "x": good["y"]},
        {**good, "x": good["x"] + "="},
        {**good, "x": 5},
        {**good, "x": "AA"},
        None,
        "x",
    ):
        with pytest.raises(ValueError):
            jwk.public_key_from_jwk(wrong)
    for other in (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)):
        with pytest.raises(ValueError, match="P-256"):
            jwk.private_key_from_pem(jwk.private_key_to_pem(other))  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["A", "AB=", "A B", "AB", "-/", "é"])
def test_base64url_has_one_spelling_only(text: str) -> None:
    with pytest.raises(ValueError):
        jwk.from_base64url(text)
