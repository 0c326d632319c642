"""The compiled readers of the codec take and refuse exactly what reading member by member does, for the same reason."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire import codec, lock_documents, lock_messages, near_messages
from backend.wire.codec import MessageRejected

KINDS = sorted(
    {
        kind
        for module in (lock_messages, lock_documents, near_messages)
        for kind in vars(module).values()
        if isinstance(kind, type) and is_dataclass(kind) and all("rule" in item.metadata for item in fields(kind))
    },
    key=lambda kind: kind.__name__,
)
# Near the edges of the rules: right words, numbers at the limits, what JSON has that looks like something else.
WORDS = ["", "a", "online", "ok", "mqtt", "door.opened", "0a1b2c3d", "0a1b2c3d-1", "A" * 22, "A" * 43, "x" * 65, "\x00"]
NUMBERS = [-121, -1, 0, 1, 2, 100, 101, 1_440, 2**63 - 1, 2**63, 1.0, True, False]
VALUES = st.recursive(
    st.sampled_from([None, *WORDS, *NUMBERS]) | st.text(max_size=6) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["key", "reason", "seq"]), inner),
    max_leaves=5,
)


def outcome(read: Any) -> tuple[str, Any]:
    try:
        return "read", read()
    except MessageRejected as rejected:
        return "rejected", (rejected.reason, rejected.member)


def both_ways(kind: type, value: Any) -> tuple[tuple[str, Any], tuple[str, Any]]:
    quickly = outcome(lambda: codec.from_object(kind, value))
    return quickly, outcome(lambda: codec._from_object_slowly(kind, value, False))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_any_object_is_read_or_refused_alike(kind: type, data: st.DataObject) -> None:
    names = [item.name for item in fields(kind)]
    members = st.dictionaries(st.sampled_from([*names, "stranger"]), VALUES)
    quickly, slowly = both_ways(kind, data.draw(members | VALUES))
    assert quickly == slowly


@given(data=st.data())
def test_an_event_with_anything_changed_is_read_or_refused_alike(data: st.DataObject) -> None:
    good = {"seq": 1, "at": 5, "clock": "ok", "boot": "0a1b2c3d", "kind": "door.opened", "key": "k", "via": "near"}
    changed = {**good, **data.draw(st.dictionaries(st.sampled_from([*good, "command", "reason", "stranger"]), VALUES))}
    for name in data.draw(st.lists(st.sampled_from([*good]), max_size=1)):
        changed.pop(name, None)
    quickly, slowly = both_ways(lock_messages.EventText, changed)
    assert quickly == slowly
    assert both_ways(lock_messages.EventText, json.loads(json.dumps(good)))[0][0] == "read"


def test_every_kind_of_message_is_covered() -> None:
    assert {"EventText", "EventBatch", "Birth", "Credential", "KeyList"} <= {kind.__name__ for kind in KINDS}
