"""Strict JSON: a frozen dataclass on one side, one exact spelling in UTF-8 on the other.

A message has exactly the members of its class plus `"v": 1`; an unknown, missing, doubled or mistyped member is refused
with a reason. An optional member that is None is left out. Encoding checks as strictly as decoding, so nothing leaves
that would not be accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

VERSION = 1

Message = TypeVar("Message")


class MessageRejected(Exception):
    """A message is not accepted; `reason` is a short word, `member` the member at fault. Neither holds a value."""

    def __init__(self, reason: str, member: str = "") -> None:
        super().__init__(f"{reason} {member}".rstrip())
        self.reason = reason
        self.member = member


@dataclass(frozen=True)
class Rule:
    """How one member is checked; `read` turns the JSON value into ours, `write` the other way.

    `quick` is `is_right` once more, as an expression over `{v}` and `{rule}` for the compiled reader.
    """

    is_right: Callable[[Any], bool]
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None
    optional: bool = False
    quick: str = "{rule}.is_right({v})"
    shape: re.Pattern[str] | None = None


def text(longest: int, pattern: str | None = None) -> Any:
    """Member: text of 1 to `longest` characters, wholly matching `pattern` when given."""
    shape = re.compile(pattern or r"[^\x00]+", re.DOTALL)
    fits = "{rule}.shape.fullmatch({v}) is not None" if pattern else "'\\0' not in {v}"
    return _member(
        Rule(
            lambda v: isinstance(v, str) and 0 < len(v) <= longest and shape.fullmatch(v) is not None,
            quick=f"type({{v}}) is str and 0 < len({{v}}) <= {longest} and {fits}",
            shape=shape,
        )
    )


def whole(low: int, high: int) -> Any:
    """Member: a whole number from `low` to `high`."""
    return _member(
        Rule(
            lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high,
            quick=f"type({{v}}) is int and {low} <= {{v}} <= {high}",
        )
    )


def flag() -> Any:
    """Member: true or false."""
    return _member(Rule(lambda v: isinstance(v, bool)))


def one_of(*words: str) -> Any:
    """Member: one of these words."""
    return _member(
        Rule(lambda v: isinstance(v, str) and v in words, quick=f"type({{v}}) is str and {{v}} in {words!r}")
    )


def texts(most: int, longest: int) -> Any:
    """Member: a list of at most `most` texts of at most `longest` characters."""

    def is_right(value: Any) -> bool:
        return len(value) <= most and all(isinstance(item, str) and 0 < len(item) <= longest for item in value)

    return _member(Rule(lambda v: isinstance(v, list) and is_right(v), tuple, list))


def parts(kind: type[Any], most: int) -> Any:
    """Member: a list of at most `most` objects of the dataclass `kind` (without a version of their own)."""
    return _member(
        Rule(
            lambda v: isinstance(v, list) and len(v) <= most,
            lambda v: tuple(from_object(kind, item) for item in v),
            lambda v: [to_object(item) for item in v],
        )
    )


def part(kind: type[Any]) -> Any:
    """Member: one object of the dataclass `kind`."""
    return _member(Rule(lambda v: isinstance(v, dict), lambda v: from_object(kind, v), to_object))


def custom(is_right: Callable[[Any], bool]) -> Any:
    """Member: any JSON value that `is_right` accepts."""
    return _member(Rule(is_right))


def maybe(member: Any) -> Any:
    """Member: as `member`, or left out (None)."""
    rule: Rule = member.metadata["rule"]
    return field(default=None, metadata={"rule": replace(rule, optional=True)})


def _member(rule: Rule) -> Any:
    return field(metadata={"rule": rule})


def to_object(message: Any) -> dict[str, Any]:
    """Spell a value as a JSON object. Raises MessageRejected when a member breaks its rule."""
    spelled: dict[str, Any] = {}
    for name, rule in _rules(type(message)).items():
        value = getattr(message, name)
        if value is None and rule.optional:
            continue
        written = value if rule.write is None else rule.write(value)
        if not rule.is_right(written):
            raise MessageRejected("bad_member", name)
        spelled[name] = written
    return spelled


def from_object(kind: type[Message], value: Any, *, ignore_unknown: bool = False) -> Message:
    """Read a JSON object as `kind`. Raises MessageRejected when it is anything else."""
    reader = _READERS.get(kind) or _compile_reader(kind)
    found: Message | None = reader(value)
    return _from_object_slowly(kind, value, ignore_unknown) if found is None else found


def _from_object_slowly(kind: type[Message], value: Any, ignore_unknown: bool) -> Message:
    """Say what is wrong with a value, or read what only has more members than it needs."""
    if not isinstance(value, dict):
        raise MessageRejected("not_an_object")
    rules = _rules(kind)
    if not ignore_unknown and not value.keys() <= rules.keys():
        raise MessageRejected("unknown_member")
    read: dict[str, Any] = {}
    for name, rule in rules.items():
        if name not in value:
            if rule.optional:
                continue
            raise MessageRejected("missing_member", name)
        if not rule.is_right(value[name]):
            raise MessageRejected("bad_member", name)
        read[name] = value[name] if rule.read is None else rule.read(value[name])
    return kind(**read)


def _compile_reader(kind: type) -> Callable[[Any], Any]:
    """Make the reader of a class: one function over all members, for the locks' events come by the thousand.

    It answers None for whatever it does not take at first sight, which is then read member by member.
    """
    rules = _rules(kind)
    lines = ["def reader(value):", " if type(value) is not dict: return None", " count = len(value)"]
    arguments = []
    for number, (name, rule) in enumerate(rules.items()):
        v = f"v{number}"
        check = rule.quick.format(v=v, rule=f"rules[{name!r}]")
        lines.append(f" {v} = value.get({name!r})")
        if rule.optional:
            lines += [f" if {v} is None: count += 1", f" elif not ({check}): return None"]
        else:
            lines.append(f" if not ({check}): return None")
        read = f"rules[{name!r}].read({v})"
        arguments.append(v if rule.read is None else f"None if {v} is None else {read}" if rule.optional else read)
    lines += [f" if count != {len(rules)}: return None", f" return kind({', '.join(arguments)})"]
    scope: dict[str, Any] = {"rules": rules, "kind": kind}
    exec("\n".join(lines), scope)  # out of our own classes' definitions, as dataclasses do it
    reader: Callable[[Any], Any] = scope["reader"]
    _READERS[kind] = reader
    return reader


def encode(message: Any) -> bytes:
    """Spell a message with its version, without white space. Raises MessageRejected when a member breaks its rule."""
    return dump({"v": VERSION, **to_object(message)}).encode()


def decode(kind: type[Message], raw: bytes, largest: int) -> Message:
    """Read a message of at most `largest` bytes. Raises MessageRejected with the reason when it is not exactly one."""
    return from_object(kind, load_versioned(raw, largest))


def load_versioned(raw: bytes, largest: int) -> dict[str, Any]:
    """Read an object with `"v": 1` and return it without the version. Raises MessageRejected."""
    if len(raw) > largest:
        raise MessageRejected("too_large")
    value = load(raw)
    if not isinstance(value, dict):
        raise MessageRejected("not_an_object")
    version = value.pop("v", None)
    if not isinstance(version, int) or isinstance(version, bool) or version != VERSION:
        raise MessageRejected("unknown_version")
    return value


def load(raw: bytes | str) -> Any:
    """Read JSON; doubled names, NaN and bad UTF-8 are refused with MessageRejected."""
    try:
        return _DECODER.decode(
            raw.decode(json.detect_encoding(raw), "surrogatepass") if isinstance(raw, bytes) else raw
        )
    except (ValueError, RecursionError):
        raise MessageRejected("not_json") from None


def dump(value: Mapping[str, Any]) -> str:
    """Write JSON in our one spelling: no white space, members in the order given, characters as themselves."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name stands twice")
    return value


def _no_constant(word: str) -> Any:
    raise ValueError(word)


_DECODER = json.JSONDecoder(object_pairs_hook=_without_doubles, parse_constant=_no_constant)
_READERS: dict[type, Callable[[Any], Any]] = {}
_RULES: dict[type, dict[str, Rule]] = {}


def _rules(kind: type) -> dict[str, Rule]:
    known = _RULES.get(kind)
    if known is None:
        known = {item.name: item.metadata["rule"] for item in fields(kind)}
        _RULES[kind] = known
    return known
