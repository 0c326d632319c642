"""Reconciliation against the real registry: it forgets, skews and is slow; we compare, mend what is safe, and tell."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update

from backend import reconcile_cli
from backend.db import db
from backend.models.cases import Case
from backend.models.registry_returns import RegistryLeg
from backend.queries.reconciliations import get_reconciliation_sum, list_due, list_pairs
from backend.registry.tables import legs, records, versions
from backend.services.audit import Actor
from backend.services.registry_reconciliation import Compared, reconcile
from backend.wire.registry_answers import digest_day
from tests.services import stories
from tests.worker.backlogs import make_backlog
from tests.worker.telling import Telling
from tests.worker.test_registry_loop import _check_out

TOWN = "330522003"
OPERATOR = Actor("operator")


def compare(telling: Telling) -> Compared:
    """Compare the one day there is, a second after whatever happened last."""
    telling.move(seconds=1)
    ((day, town),) = list_pairs()
    assert town == TOWN
    return reconcile(telling.world, day=day, town=town, actor=OPERATOR)


def forget(telling: Telling, *records_lost: str) -> None:
    """Let the registry lose records, as after its restore from a backup."""
    with telling.stage.registry.database.writing() as connection:
        for table in (legs, versions):
            connection.execute(delete(table).where(table.c.record_id.in_(records_lost)))
        connection.execute(delete(records).where(records.c.id.in_(records_lost)))


def due(telling: Telling) -> list[Any]:
    now = telling.clock.now()
    return list_due(now, telling.clock.today(), limit=9, checked_before=now)


def test_a_record_the_registry_has_lost_is_told_again_and_gets_a_new_receipt(telling: Telling) -> None:
    made = make_backlog(telling.world, 3)
    telling.passes()
    assert compare(telling).outcome == "equal"
    first = telling.receipt(made[0]).number
    forget(telling, made[0])
    found = compare(telling)
    assert (found.outcome, found.our_count, found.their_count, found.mended) == ("differs", 3, 2, 1)
    assert [(entry["kind"], entry["sent"]) for entry in found.details] == [("missing_there", ["UPSERT"])]
    again = compare(telling)  # it is on its way: not found a second time
    assert (again.outcome, again.details) == ("unsettled", ())
    assert get_reconciliation_sum().unequal == ()
    telling.passes()
    assert compare(telling).outcome == "equal"
    assert telling.receipt(made[0]).number != first
    assert get_reconciliation_sum().unequal == ()


def test_an_end_the_registry_has_lost_is_told_again(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.passes()
    _check_out(telling, story)
    telling.passes()
    forget(telling, story.registration_id)
    found = compare(telling)
    assert sorted(entry["kind"] for entry in found.details) == ["missing_there", "missing_there"]
    telling.settle()
    assert compare(telling).outcome == "equal"
    held = telling.stage.client.find_record(story.registration_id)
    assert held is not None and held.state == "MOVED_OUT"


def test_what_only_the_registry_holds_goes_to_a_person_once_and_is_not_deleted(telling: Telling) -> None:
    made = make_backlog(telling.world, 2)
    telling.passes()
    db.session.execute(delete(RegistryLeg).where(RegistryLeg.registration_id == made[0]))
    db.session.commit()
    for _ in range(2):
        found = compare(telling)
        assert [(entry["kind"], "sent" in entry) for entry in found.details] == [("missing_here", False)]
    case = db.session.scalars(select(Case).where(Case.kind == "registry_difference")).one()
    assert case.evidence == {"record": made[0], "leg": "TENANT", "kind": "missing_here"}
    assert len(telling.held_versions()) == 2


def test_a_comparison_that_was_held_up_does_not_repeat_what_a_later_one_has_done(
    telling: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_backlog(telling.world, 1)
    telling.passes()
    db.session.execute(delete(RegistryLeg).where(RegistryLeg.registration_id == made[0]))
    db.session.commit()
    registry, later = telling.world.registry, []
    ask = registry.find_record

    def held_up(record: str) -> Any:
        monkeypatch.setattr(registry, "find_record", ask)
        later.append(reconcile(telling.world, day=day, town=TOWN, actor=OPERATOR))
        return ask(record)

    day = digest_day(telling.clock.now())
    telling.move(seconds=1)
    monkeypatch.setattr(registry, "find_record", held_up)
    monkeypatch.setattr(telling.clock, "now", _always_later(telling.clock.now()))
    found = reconcile(telling.world, day=day, town=TOWN, actor=OPERATOR)
    (first,) = later
    assert (found.outcome, found.details[0]["case"]) == (first.outcome, first.details[0]["case"])
    assert db.session.scalar(select(func.count()).where(Case.kind == "registry_difference")) == 1


def _always_later(now: datetime) -> Callable[[], datetime]:
    steps = itertools.count()
    return lambda: now + timedelta(milliseconds=next(steps))


def test_a_later_version_there_goes_to_a_person_and_an_older_one_is_sent(telling: Telling) -> None:
    made = make_backlog(telling.world, 2)
    telling.passes()
    with telling.stage.registry.database.writing() as connection:
        connection.execute(update(legs).where(legs.c.record_id == made[0]).values(version=9))
        connection.execute(update(legs).where(legs.c.record_id == made[1]).values(version=1))
    found = {entry["id"].split(":")[0]: entry for entry in compare(telling).details}
    assert {entry["kind"] for entry in found.values()} == {"version_skew"}
    assert "case" in found[made[0]] and found[made[1]]["sent"] == ["AMEND"]


def test_a_wrong_digest_over_equal_lists_is_told_as_such(telling: Telling) -> None:
    make_backlog(telling.world, 2)
    telling.passes()
    telling.stage.switch_on("digest_skew")
    found = compare(telling)
    assert (found.outcome, found.details, found.mended) == ("digest_skew", (), 0)
    assert telling.open_rows() == []
    assert [row.outcome for row in get_reconciliation_sum("330522003900").unequal] == ["digest_skew"]


def test_a_day_is_compared_again_when_it_is_new_unequal_or_recent(telling: Telling) -> None:
    make_backlog(telling.world, 1)
    telling.passes()
    day = digest_day(telling.clock.now())
    assert due(telling) == [(day, TOWN)]
    compare(telling)
    assert due(telling) == []
    telling.move(hours=24)
    assert due(telling) == [(day, TOWN)]
    compare(telling)
    telling.move(days=40)  # no longer recent: once more after a month, then not each night
    assert due(telling) == [(day, TOWN)]
    compare(telling)
    telling.move(hours=24)
    assert due(telling) == []


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_changes_when_the_registry_does_not_answer(telling: Telling) -> None:
    make_backlog(telling.world, 1)
    telling.passes()
    telling.stage.switch_on("http_502")
    with pytest.raises(Exception, match="http_502"):
        compare(telling)
    assert get_reconciliation_sum().days == 0


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_the_operators_command_compares_tells_and_answers_by_its_status(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reconcile_cli, "installation", lambda: nullcontext(telling.world))
    parser = argparse.ArgumentParser()
    reconcile_cli.add_reconcile_command(parser.add_subparsers())

    def run(*words: str) -> tuple[int, str]:
        telling.move(seconds=1)
        chosen = parser.parse_args(["reconcile", *words])
        status: int = chosen.run(chosen)
        shown = capsys.readouterr()
        return status, shown.out + shown.err

    made = make_backlog(telling.world, 2)
    telling.passes()
    day = digest_day(telling.clock.now()).isoformat()
    assert run() == (0, "compared 1 days and towns: 1 equal, 0 not\n")
    assert run("--day", "2020-01-01") == (0, "compared 0 days and towns: 0 equal, 0 not\n")
    forget(telling, made[0])
    status, text = run("--day", day, "--town", TOWN, "--json")
    (row,) = json.loads(text)
    assert (status, row["outcome"], row["here"], row["there"], row["mended"]) == (1, "differs", 2, 1, 1)
    telling.passes()
    telling.stage.switch_on("digest_skew")
    status, text = run()
    assert status == 1 and "the lists are equal" in text
    assert run("--town", "33052")[0] == 2
    telling.stage.switch_on("http_502")
    status, text = run()
    assert status == 1 and "http_502" in text and "0 of 1 were compared" in text
