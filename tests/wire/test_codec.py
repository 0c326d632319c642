"""The strict codec: one spelling, and every rule kept on the way out as well."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from backend.wire import codec
from backend.wire.codec import (
    MessageRejected,
    custom,
    decode,
    encode,
    flag,
    maybe,
    one_of,
    part,
    parts,
    text,
    texts,
    whole,
)


@dataclass(frozen=True)
class Inner:
    name: str = text(5, r"[a-z]+")


@dataclass(frozen=True)
class Outer:
    number: int = whole(1, 9)
    word: str = one_of("a", "b")
    on: bool = flag()
    one: Inner = part(Inner)
    many: tuple[Inner, ...] = parts(Inner, 2)
    lines: tuple[str, ...] = texts(2, 3)
    even: int = custom(lambda value: isinstance(value, int) and value % 2 == 0)
    more: str | None = maybe(text(3))


GOOD = Outer(1, "a", True, Inner("x"), (Inner("y"), Inner("z")), ("abc",), 4)
RAW = (
    b'{"v":1,"number":1,"word":"a","on":true,"one":{"name":"x"},"many":[{"name":"y"},{"name":"z"}],'
    b'"lines":["abc"],"even":4}'
)


def test_a_value_has_one_spelling() -> None:
    assert encode(GOOD) == RAW
    assert decode(Outer, RAW, 500) == GOOD


@pytest.mark.parametrize(
    "wrong, by, reason",
    [
        (b'"number":1', b'"number":0', "bad_member"),
        (b'"number":1', b'"number":1.0', "bad_member"),
        (b'"number":1', b'"number":true', "bad_member"),
        (b'"number":1', b'"number":NaN', "not_json"),
        (b'"word":"a"', b'"word":"c"', "bad_member"),
        (b'"on":true', b'"on":1', "bad_member"),
        (b'{"name":"x"}', b'{"name":"X"}', "bad_member"),
        (b'{"name":"x"}', b'{"name":"x","v":1}', "unknown_member"),
        (b'{"name":"x"}', b"null", "bad_member"),
        (b'[{"name":"y"},{"name":"z"}]', b'[{"name":"y"},{"name":"y"},{"name":"y"}]', "bad_member"),
        (b'[{"name":"y"},{"name":"z"}]', b'["y"]', "not_an_object"),
        (b'["abc"]', b'["abcd"]', "bad_member"),
        (b'["abc"]', b'["abc","abc","abc"]', "bad_member"),
        (b'"even":4', b'"even":5', "bad_member"),
        (b'"even":4', b'"even":4,"more":null', "bad_member"),
        (b'"even":4', b'"even":4,"even":4', "not_json"),
        (b'"even":4,', b"", "missing_member"),
        (b'"v":1', b'"v":"1"', "unknown_version"),
        (b'"v":1', b'"v":true', "unknown_version"),
        (b'"v":1', b'"v":1.0', "unknown_version"),
        (b'"v":1,', b"", "unknown_version"),
    ],
)
def test_any_other_spelling_is_refused_with_its_reason(wrong: bytes, by: bytes, reason: str) -> None:
    raw = (RAW[:-1] + b",}").replace(wrong, by).replace(b",}", b"}") if wrong.endswith(b",") else RAW.replace(wrong, by)
    with pytest.raises(MessageRejected) as caught:
        decode(Outer, raw, 500)
    assert caught.value.reason in (reason, "missing_member")


def test_what_breaks_a_rule_is_not_sent_either() -> None:
    for wrong in (
        Outer(0, "a", True, Inner("x"), (), (), 4),
        Outer(1, "a", True, Inner("X"), (), (), 4),
        Outer(1, "a", True, Inner("x"), (), (), 4, more=""),
        Outer(1, "a", True, Inner("x"), (Inner("y"),) * 3, (), 4),
    ):
        with pytest.raises(MessageRejected, match="bad_member"):
            encode(wrong)


def test_a_rejection_holds_no_value_of_the_message() -> None:
    with pytest.raises(MessageRejected) as caught:
        decode(Outer, RAW.replace(b'"word":"a"', b'"word":"secret"'), 500)
    assert "secret" not in str(caught.value) and caught.value.member == "word"


def test_depth_and_size_are_bounded() -> None:
    for raw in (b"[" * 100_000, RAW):
        with pytest.raises(MessageRejected):
            decode(Outer, raw, 100 if raw is RAW else 200_000)
    assert codec.dump({"a": "é"}) == '{"a":"é"}'
