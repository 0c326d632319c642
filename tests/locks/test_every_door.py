"""Any story of a household, told step by step to the real platform, the real lock and a small model beside them.

The model knows only what people know: who lives there, what a phone has fetched and when, what the lock can have
heard. It says of each phone whether the door must open, must not, or may do either (an unconfirmed revocation on a lock
without network). No door may open against it, and nobody who lives there may be left outside.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.bootstrap import core_app
from backend.config import Settings
from backend.db import db, reading
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.models.leases import Lease
from backend.services import keys
from backend.services.housekeeping import keep_house
from backend.services.keys import Credential
from backend.services.leases import extend_lease
from backend.services.rebinding import rebind_key
from device_sim.phone import Phone
from tests.conftest import NOW
from tests.locks.households import Household, Resident
from tests.services import stories
from tests.worlds import make_fake_world

GRACE, BOUND, CLOCK_TRUSTED = timedelta(days=30), timedelta(minutes=5), timedelta(days=33)
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Fetched:
    """What a phone has fetched, at which step of the story and at what time."""

    step: int
    at: datetime
    stored: Credential
    codes: dict[date, str]


class Grant:
    """One key of one phone, as the model sees it: alive, suspended or dead, each since a step of the story."""

    def __init__(self, resident: Resident, epoch: int) -> None:
        self.resident, self.epoch = resident, epoch
        self.status: list[tuple[int, str]] = [(0, "alive")]
        self.fetched: list[Fetched] = []

    def __repr__(self) -> str:
        return f"<key of epoch {self.epoch}, {self.now}>"

    def at(self, step: int) -> str:
        """What the key was after a step."""
        return next(word for since, word in reversed(self.status) if since <= step)

    @property
    def now(self) -> str:
        """What the key is."""
        return self.status[-1][1]


class DoorModel(RuleBasedStateMachine):
    """`template` is a migrated database; each story gets a copy of it."""

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="anju-doors-"))
        shutil.copyfile(self.template, self.folder / "anju.db")
        environment = {"ANJU_DEMO": "1", "ANJU_VAR": str(self.folder),
                       "ANJU_DATABASE_URL": f"sqlite:///{self.folder / 'anju.db'}"}  # fmt: skip
        found = Settings.from_environment(environment)
        self.clock = FixedClock(NOW)
        self.app = core_app(found, make_fake_world(found, self.clock))
        self.context = self.app.app_context()
        self.context.push()
        self.home = Household(self.app, self.clock)
        self.grants: list[Grant] = []
        self.platform_epoch = self.lock_epoch = 1
        self.step = 0  # of the story: two things at the same second still have an order
        self.knows_until = 0  # the lock knows every change up to this step
        self.heard_at = NEVER  # when the platform last signed what the lock has seen
        self.online_at = NEVER  # when the lock was last online with a platform to hear
        self.listed: list[Grant] = []  # keys the lock has heard of from the platform
        self.shown: list[Grant] = []  # keys it knows because they have opened
        self.wrong_codes = False  # somebody typed a wrong one, so that a lockout may run

    def teardown(self) -> None:
        db.session.remove()
        db.engine.dispose()
        self.context.pop()
        shutil.rmtree(self.folder)

    # -- what the model knows ----------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        return self.home.online and self.home.platform_up

    @property
    def living(self) -> list[Grant]:
        return [grant for grant in self.grants if grant.now != "dead"]

    def hear(self) -> None:
        """While there is a network, the lock knows everything at once."""
        if self.connected:
            self.knows_until, self.heard_at, self.online_at = self.step, self.clock.now(), self.clock.now()
            self.lock_epoch = self.platform_epoch
            self.listed = [grant for grant in self.grants if grant.now == "alive"]

    def change(self, grant: Grant, word: str) -> None:
        self.step += 1
        grant.status.append((self.step, word))
        self.hear()

    # -- what people and accidents do --------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.home.connect()
        self.hear()

    @precondition(lambda self: self.home.platform_up and len(self.living) < 2)
    @rule()
    def move_in(self) -> None:
        if self.grants and not self.living and any(grant.epoch == self.platform_epoch for grant in self.grants):
            self.platform_epoch += 1  # a handover: nobody of the old ones lives there any more
        grant = Grant(self.home.move_in(kind="bed"), self.platform_epoch)
        self.grants.append(grant)
        self.hear()
        self.keep(grant)

    def keep(self, grant: Grant) -> None:
        """The phone keeps what it has fetched."""
        self.step += 1
        assert grant.resident.stored is not None
        resident = grant.resident
        grant.fetched.append(Fetched(self.step, self.clock.now(), resident.stored, dict(resident.codes)))
        self.hear()

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule(data=st.data())
    def open_the_app(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.living), "who")
        assert self.home.refresh(grant.resident) == (grant.now == "alive"), "who lives there is never refused renewal"
        if grant.now == "alive":
            self.keep(grant)

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule(data=st.data())
    def suspend_or_resume_ones_own(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.living), "who")
        act, word = (keys.suspend_key, "suspended") if grant.now == "alive" else (keys.resume_key, "alive")
        act(self.home.world, account_id=grant.resident.account, key_id=grant.resident.key_id)
        self.home.settle()
        self.change(grant, word)

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule(data=st.data())
    def the_landlord_tries_to_take_a_key_away(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.living), "whose")
        harm = data.draw(st.sampled_from((keys.suspend_key, keys.revoke_key)), "how")
        with pytest.raises(Refused, match="key.ground"):
            harm(self.home.world, account_id=self.home.story.landlord, key_id=grant.resident.key_id, ground="check_out")

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule(data=st.data(), days=st.integers(1, 900))
    def a_lease_is_extended_in_place(self, data: st.DataObject, days: int) -> None:
        grant = data.draw(st.sampled_from(self.living), "whose")
        world, landlord, lease_id = self.home.world, self.home.story.landlord, grant.resident.lease_id
        with reading() as session:
            until = session.get_one(Lease, lease_id).ends_on
        assert until is not None
        ends_on = max(until, self.clock.today()) + timedelta(days=days)
        made = extend_lease(world, account_id=landlord, lease_id=lease_id, ends_on=ends_on)
        assert made.key_id == grant.resident.key_id, "the same key goes on"
        self.home.settle()
        self.hear()

    @precondition(lambda self: self.home.platform_up and any(each.now == "alive" for each in self.grants))
    @rule(data=st.data())
    def get_a_new_phone(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from([each for each in self.grants if each.now == "alive"]), "who")
        old, phone = grant.resident, Phone()
        self.clock.move(timedelta(minutes=16))
        with pytest.raises(Refused, match="key.identity"):
            rebind_key(self.home.world, account_id=old.account, key_id=old.key_id, phone_jwk=phone.jwk)
        stories.match_face(self.home.world, old.account)
        card = rebind_key(self.home.world, account_id=old.account, key_id=old.key_id, phone_jwk=phone.jwk)
        self.home.settle()
        self.change(grant, "dead")
        new = Grant(replace(old, key_id=card.id, phone=phone, stored=None, codes={}), grant.epoch)
        self.grants.append(new)
        self.hear()
        assert self.home.refresh(new.resident)
        self.keep(new)

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule(data=st.data())
    def move_out(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.living), "who")
        self.home.move_out(grant.resident)
        self.change(grant, "dead")

    @rule()
    def the_network_of_the_lock_comes_or_goes(self) -> None:
        if self.home.online:
            self.hear()
            self.home.disconnect()
        else:
            self.home.connect()
            self.hear()

    @rule()
    def the_platform_goes_or_comes(self) -> None:
        if self.home.platform_up:
            self.hear()
            self.home.begin_outage()
        else:
            self.home.end_outage()
            self.hear()

    @rule(step=st.sampled_from((timedelta(minutes=7), timedelta(hours=5), timedelta(days=1), timedelta(days=6),
                                timedelta(days=12))))  # fmt: skip
    def time_passes(self, step: timedelta) -> None:
        self.home.wait(step)
        if self.home.platform_up:
            keep_house(self.home.world)
        self.hear()

    # -- doors -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: any(grant.fetched for grant in self.grants))
    @rule(data=st.data())
    def somebody_stands_before_the_door(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from([each for each in self.grants if each.fetched]), "who")
        which = data.draw(st.integers(0, len(grant.fetched) - 1), "with which credential")
        self.try_the_door(grant, grant.fetched[which])

    @precondition(lambda self: self.living)
    @rule(data=st.data())
    def somebody_who_lives_there_comes_home(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.living), "who")
        self.try_the_door(grant, grant.fetched[-1])

    @precondition(lambda self: any(grant.now == "dead" for grant in self.grants))
    @rule(data=st.data())
    def somebody_who_moved_out_comes_back(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from([grant for grant in self.grants if grant.now == "dead"]), "who")
        self.try_the_door(grant, grant.fetched[-1])

    @precondition(lambda self: self.home.platform_up and self.living)
    @rule()
    def the_platform_is_gone_for_days_and_everybody_comes_home(self) -> None:
        self.hear()
        self.home.begin_outage()
        self.home.wait(timedelta(days=8))
        for grant in self.living:
            self.try_the_door(grant, grant.fetched[-1])

    def try_the_door(self, grant: Grant, fetched: Fetched) -> None:
        """Stand before it with one phone and hold the lock's answer against the model's."""
        must, may = self.judge(grant, fetched)
        result = self.home.open_near(grant.resident, stored=fetched.stored)
        assert result == "opened" or not must, f"{result}: left outside"
        assert result != "opened" or may, "opened, and must not"
        self.learn(grant, fetched)
        if result == "opened":
            self.shown.append(grant)

    @precondition(lambda self: any(grant.fetched for grant in self.grants))
    @rule(data=st.data())
    def somebody_shows_a_copied_credential(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from([each for each in self.grants if each.fetched]), "whose")
        stranger = Resident("", "", "", "", Phone())
        assert self.home.open_near(stranger, stored=grant.fetched[-1].stored, phone=stranger.phone) != "opened"
        self.learn(grant, grant.fetched[-1])

    @precondition(lambda self: any(grant.fetched for grant in self.grants))
    @rule(data=st.data())
    def somebody_types_a_code(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from([each for each in self.grants if each.fetched]), "whose")
        which = data.draw(st.integers(0, len(grant.fetched) - 1), "from which fetching")
        code = grant.fetched[which].codes.get(self.clock.today())
        if code is None:
            return
        alive = grant.at(self.knows_until) == "alive" and self.lock_epoch == grant.epoch
        sure = self.clock.now() - self.online_at <= CLOCK_TRUSTED and not self.wrong_codes
        must = alive and sure and grant.now == "alive" and grant in self.listed
        may = alive and (grant in self.listed or grant in self.shown)
        result = self.home.type_code(code)
        assert result == "opened" or not must, f"{result}: left outside with a right code"
        assert result != "opened" or may, "opened by a code, and must not"
        self.wrong_codes = result != "opened"
        # Nobody waits here for the lockout's end: it is the ladder's next rung that lets a resident in.

    @precondition(lambda self: self.grants)
    @rule(data=st.data())
    def somebody_taps_open_with_network(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.grants), "who")
        result = self.home.open_online(grant.resident)
        if not self.home.platform_up:
            assert result == "no_platform"
        elif grant.now != "alive":
            assert result == "key.not_active"
        else:
            assert result == ("executed" if self.connected else "lock_offline")

    def judge(self, grant: Grant, fetched: Fetched) -> tuple[bool, bool]:
        """Whether the door must open now, and whether it may."""
        now, ends = self.clock.now(), fetched.stored.expires_at
        told = grant.at(max(self.knows_until, fetched.step))  # the phone carries the list it has fetched
        in_life = now < ends or (now < ends + GRACE and max(self.heard_at, fetched.at) < ends)
        must = (
            grant.now == "alive"
            and told == "alive"
            and in_life
            and self.lock_epoch <= grant.epoch
            and now - self.online_at <= CLOCK_TRUSTED
        )
        may = told == "alive" and now <= ends + GRACE + BOUND and self.lock_epoch <= grant.epoch
        return must, may

    def learn(self, grant: Grant, fetched: Fetched) -> None:
        """The lock has read what the phone carried, whoever carried it: the list of that moment and its epoch."""
        self.knows_until = max(self.knows_until, fetched.step)
        self.heard_at = max(self.heard_at, fetched.at)
        self.lock_epoch = max(self.lock_epoch, grant.epoch)

    @invariant()
    def what_is_called_revoked_opens_nothing(self) -> None:
        if not self.grants:
            return
        for grant in self.grants:
            if grant.now == "dead" and grant.fetched:
                card = keys.get_key(self.home.world, account_id=grant.resident.account, key_id=grant.resident.key_id)
                if card.state == "revoked":
                    assert self.home.open_near(grant.resident, stored=grant.fetched[-1].stored) != "opened"
                    self.learn(grant, grant.fetched[-1])
                    code = grant.fetched[-1].codes.get(self.clock.today())
                    assert code is None or self.home.type_code(code) != "opened"
                    self.wrong_codes |= code is not None


def tell_stories(template: Path, examples: int) -> None:
    """Tell so many stories, each on a copy of the template; raises AssertionError at the first fault."""
    machine: Any = type("DoorModelOnACopy", (DoorModel,), {"template": template})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.explicit, Phase.generate),  # a shorter story of the same fault would cost minutes
        ),
    )


def test_no_door_opens_when_it_must_not_and_no_resident_is_left_outside(migrated_sqlite: Path) -> None:
    tell_stories(migrated_sqlite, examples=40)


PLANTED: dict[str, tuple[str, Any]] = {
    "the lock forgets revocations": ("device_sim.held_keys.HeldKeys._revoke", lambda *_: None),
    "the lock keeps its epoch": ("device_sim.held_keys.HeldKeys.raise_epoch", lambda *_: False),
    "the lock takes any code of its keys": ("device_sim.held_keys.HeldKeys.refuse_code", lambda *_: None),
    "the lock asks nobody for a proof": ("backend.wire.near_messages.check_proof", lambda *_: None),
    "the lock knows no outage": ("device_sim.held_keys.refuse_life", lambda _, exp, __, at, ___: strict_life(at, exp)),
    "the screen says revoked too early": (
        "backend.services.key_changes.exposure_until",
        lambda ends, *_, **__: ends - timedelta(days=3) if ends else None,
    ),
    "the old phone's key lives on": ("backend.services.rebinding.begin_revocation", lambda *_: None),
    "ground or not, the landlord may": ("backend.services.keys._check_ground", lambda *_: None),
}


def strict_life(at: Any, exp: int | None) -> str | None:
    """A lock's judgement without the grace of an outage."""
    return "expired" if exp is not None and at.at >= exp else None


@pytest.mark.release
@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault: str, migrated_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place, wrong = PLANTED[fault]
    monkeypatch.setattr(place, wrong)
    with pytest.raises(BaseException) as found:  # an assertion of the model, a refusal, or a constraint of the database
        tell_stories(migrated_sqlite, examples=150)
    assert not isinstance(found.value, KeyboardInterrupt | SystemExit)
