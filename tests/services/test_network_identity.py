"""The national network identity: bound, good once, result only; an outage takes nothing away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.cases import Case
from backend.models.identity_checks import IdentityCheck
from backend.models.network_identity import NetworkIdentityRequest
from backend.services.housekeeping import keep_house
from backend.services.identity_checks import identity_progress
from backend.services.identity_reviews import ask_a_person
from backend.services.network_identity import begin_request, finish_request
from backend.services.persons import enter_identity
from tests.services import stories

pytestmark = pytest.mark.usefixtures("core")
SESSION = "01a20000-0000-7000-8000-000000000001"
OTHER = "01a20000-0000-7000-8000-000000000002"


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def come_back(world: Any, account_id: str, result: str = "verified") -> Mapping[str, Any]:
    """Begin, confirm there, and come back with what the address of the way back holds."""
    begun = begin_request(world, account_id=account_id, session_id=SESSION)
    request = world.network_identity.requests[begun.id]
    ticket = world.network_identity.confirm(begun.id, result)
    state = parse_qs(urlsplit(request.return_to).query)["state"][0]
    return {"account_id": account_id, "session_id": SESSION, "request_id": begun.id, "state": state, "ticket": ticket}


def test_a_confirmation_verifies_the_identity_and_the_key_becomes_active(world: Any) -> None:
    story = stories.make_declared(world)
    ask_a_person(world, account_id=story.tenant, way="window")
    outcome = finish_request(world, **come_back(world, story.tenant))
    assert (outcome.result, outcome.state) == ("verified", "verified")
    assert stories.key_row(story.key_id).state == "active"
    check = db.session.scalars(select(IdentityCheck).where(IdentityCheck.method == "network_identity")).one()
    assert (check.provider, check.outcome, check.reasons, check.score_bucket) == ("network_identity", "pass", [], None)
    assert db.session.scalars(select(Case)).one().decision == "matched"
    with refused("identity.settled"):
        begin_request(world, account_id=story.tenant, session_id=SESSION)


@pytest.mark.parametrize("result", ["refused", "expired"])
def test_refusing_there_or_letting_it_run_out_takes_nothing_away(world: Any, result: str) -> None:
    story = stories.make_declared(world)
    outcome = finish_request(world, **come_back(world, story.tenant, result))
    assert (outcome.result, outcome.state) == (result, "none")
    assert identity_progress(world, account_id=story.tenant).tries_left == 3
    assert finish_request(world, **come_back(world, story.tenant)).state == "verified"


def test_a_return_is_good_once_short_lived_and_bound(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    back = come_back(world, story.tenant)
    for wrong in ({"session_id": OTHER}, {"state": "guessed"}):
        with refused("network.other"):
            finish_request(world, **{**back, **wrong})
    stranger = stories.make_account(world, "+8619900009555")
    with refused("not_found"):
        finish_request(world, **{**back, "account_id": stranger})
    with refused("network.used"):
        finish_request(world, **{**back, "ticket": "ticket-of-somebody-else"})
    with refused("network.used"):
        finish_request(world, **back)
    late = come_back(world, story.tenant)
    clock.move(timedelta(minutes=5))
    with refused("network.expired"):
        finish_request(world, **late)


def test_an_outage_says_so_and_the_same_return_can_be_tried_again(world: Any) -> None:
    story = stories.make_declared(world)
    world.network_identity.available = False
    with refused("network.unavailable") as caught:
        begin_request(world, account_id=story.tenant, session_id=SESSION)
    assert "其他方式" in caught.value.refusal.remedy("zh")
    world.network_identity.available = True
    back = come_back(world, story.tenant)
    world.network_identity.available = False
    with refused("network.unavailable"):
        finish_request(world, **back)
    world.network_identity.available = True
    assert finish_request(world, **back).state == "verified"


def test_where_none_is_configured_the_way_is_not_offered(world: Any) -> None:
    story = stories.make_identified(world)
    assert identity_progress(world, account_id=story.tenant).network_identity_available
    world = replace(world, network_identity=None)
    assert not identity_progress(world, account_id=story.tenant).network_identity_available
    with refused("network.absent"):
        begin_request(world, account_id=story.tenant, session_id=SESSION)


def test_identity_comes_first_and_a_child_does_not_go_there(world: Any) -> None:
    story = stories.make_claimed(world)
    with refused("person.missing"):
        begin_request(world, account_id=story.tenant, session_id=SESSION)
    born = world.clock.today().replace(year=2014)
    enter_identity(world, account_id=story.tenant, id_type="111", name="周小福",
                   id_number=stories.sample_number("341822", born))  # fmt: skip
    with refused("person.minor"):
        begin_request(world, account_id=story.tenant, session_id=SESSION)


def test_only_hashes_and_a_word_are_kept_and_not_for_long(world: Any, clock: FixedClock) -> None:
    story = stories.make_declared(world)
    back = come_back(world, story.tenant, "refused")
    finish_request(world, **back)
    row = db.session.scalars(select(NetworkIdentityRequest)).one()
    kept = repr([getattr(row, name) for name in row.__table__.columns.keys()])
    assert row.outcome == "refused" and back["state"] not in kept and back["ticket"] not in kept
    clock.move(timedelta(days=1, minutes=6))
    keep_house(world)
    db.session.rollback()
    assert db.session.scalars(select(NetworkIdentityRequest)).all() == []
