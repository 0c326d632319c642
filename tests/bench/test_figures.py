"""The bench's own arithmetic and shape; what it measures is measured by `./anju bench`, never by a test."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_documents import Checkpoint, document_from
from backend.wire.lock_messages import EventBatch, decode_message, first_hash, next_hash
from backend.wire.tokens import verify
from backend.wire.topics import EVENTS
from device_sim.identities import make_identities
from tests.bench import __main__ as bench
from tests.bench.feeds import make_feed
from tests.bench.figures import Row, at_least, at_most, compare, machine, percentile, report, table


def test_a_ratio_is_the_median_of_the_rounds_not_of_the_sides() -> None:
    row = compare("x", "ms", [2.0, 30.0, 4.0], [1.0, 10.0, 4.0], partial(at_most, 2.5))
    assert (row.ratio, row.value, row.limit, row.goal, row.ok) == (2.0, 4.0, 4.0, "≤ 2.5", True)


@pytest.mark.parametrize(
    ("judge", "ok"), [(partial(at_most, 1.9), False), (partial(at_least, 2.0), True), (partial(at_least, 2.1), False)]
)
def test_a_goal_is_held_against_the_ratio(judge: Any, ok: bool) -> None:
    assert compare("x", "ms", [2.0], [1.0], judge).ok is ok


def test_rounds_of_different_runs_are_not_compared() -> None:
    for ours, bare in (([1.0], [1.0, 2.0]), ([], [])):
        with pytest.raises(ValueError, match="each round"):
            compare("x", "ms", ours, bare)


@pytest.mark.parametrize(("percent", "found"), [(50, 50), (99, 99), (100, 100), (0.5, 1)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, found: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == found


def test_the_report_has_the_promised_members_and_one_miss_spoils_it() -> None:
    rows = [compare("a", "ms", [1.0], [2.0], partial(at_most, 1.0)), Row("b", 3.0, "MB")]
    told = json.loads(json.dumps(report(rows, machine())))
    assert set(told) == {"machine", "rows", "ok"} and told["ok"] is True
    assert all(set(row) == {"name", "limit", "value", "unit", "ratio", "goal", "ok"} for row in told["rows"])
    assert report([*rows, Row("c", 1.0, "s", goal="≤ 0.5 s", ok=False)], {})["ok"] is False


def test_the_table_shows_each_row_and_marks_what_is_missed() -> None:
    lines = table([Row("fast", 1234.5, "events/s"), Row("slow", 9.0, "ms", 1.0, 9.0, "≤ 2.5", False)]).splitlines()
    assert len(lines) == 3 and "1,234" in lines[1] and lines[2].endswith("MISSED")


def test_an_unknown_group_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["lockz"]) == 2
    assert "no bench 'lockz'" in capsys.readouterr().err


def test_a_run_prints_one_json_object_and_ends_with_1_on_a_miss(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured = [Row("kept", 1.0, "ms", goal="≤ 2 ms"), Row("missed", 3.0, "ms", goal="≤ 2 ms", ok=False)]
    monkeypatch.setitem(bench.GROUPS, "locks", lambda _quick: [lambda _stage: measured])
    assert bench.main(["locks", "--quick", "--json"]) == 1
    assert [row["name"] for row in json.loads(capsys.readouterr().out)["rows"]] == ["kept", "missed"]


def test_a_feed_is_what_locks_would_send() -> None:
    identity, other = make_identities(2, seed=3)
    feed = make_feed([identity, other], messages_each=2)
    assert [message.lock_id for message in feed] == [identity.lock_id, other.lock_id] * 2
    key = identity.private_key.public_key()
    head = first_hash(identity.lock_id)
    for message in feed[::2]:
        batch = decode_message(EVENTS, message.payload)
        assert isinstance(batch, EventBatch) and batch.previous == base64url(head)
        for text in batch.events:
            head = next_hash(head, text)
        point = document_from(Checkpoint, verify("lockchk", batch.checkpoints[0], {thumbprint(key): key}))
        assert (point.seq, point.head) == (message.last_seq, base64url(head))
