"""A simulated month of coming home, with everything that goes wrong: does whoever lives there get in, and how?

    online → Bluetooth → keypad code → mechanical key handed out at the window → a person who helps

Platform, locks, phones and codes are the real ones; who comes home when, and what is broken then, is drawn from a seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flask import Flask

from backend.bootstrap import world_of
from backend.domain.calendars import day_of
from backend.services.housekeeping import keep_house
from backend.services.rebinding import rebind_key
from device_sim import touches
from device_sim.phone import Phone
from tests.locks.households import Household, Resident
from tests.mqtt.villages import Village
from tests.services import stories

RUNGS = ("online", "bluetooth", "code", "mechanical", "person")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Habits:
    """What a household's members have with them, and how often something is missing (shares from 0 to 1)."""

    bluetooth: bool  # a phone whose browser speaks it
    carries_codes: float = 0.5  # today's code is known by heart or on paper when the phone is dead
    carries_key: float = 0.8  # the mechanical key handed out at the window is in the pocket
    dead_phone: float = 0.03
    cleared_browser: float = 0.01
    no_signal: float = 0.05  # of the phone, at this moment


@dataclass
class Month:
    """What came of it: how many came home, by which rung each got in, and who stayed outside."""

    homecomings: int = 0
    rungs: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)

    def share(self, *rungs: str) -> float:
        """Percent of the homecomings that ended at one of these rungs."""
        return 100 * sum(self.rungs[rung] for rung in rungs) / self.homecomings if self.homecomings else 0.0


class Street:
    """Households side by side on one platform and one clock."""

    def __init__(self, app: Flask, clock: Any, households: int, seed: int) -> None:
        self.chance = Random(seed)
        self.clock = clock
        self.world = world_of(app)
        made = [stories.make_let_unit(self.world, lock=n, door=n) for n in range(1, households + 1)]
        village = Village(app, [story.identity for story in made], clock)
        self.homes = [
            Household(app, clock, ppm=self.chance.uniform(-60, 60), story=story, village=village) for story in made
        ]
        self.people: list[tuple[Household, Resident, Habits]] = []
        for number, home in enumerate(self.homes):
            home.connect()
            self.people.append((home, home.move_in(), Habits(bluetooth=number % 4 != 3)))

    def live(self, days: int) -> Month:
        """Let the days pass; whoever has network opens the app once a day, which renews what the phone keeps."""
        month, begins = Month(), self.clock.now()
        for at, act in self._plan(begins, days):
            self.clock.set(max(at, self.clock.now()))
            for home in self.homes:
                home.lock.tick()
            self.homes[0].settle()
            act(month)
        return month

    # -- what happens -------------------------------------------------------------------------------------------------

    def _plan(self, begins: datetime, days: int) -> Iterator[tuple[datetime, Callable[[Month], None]]]:
        plan: list[tuple[datetime, int, Callable[[Month], None]]] = []

        def add(at: datetime, act: Callable[[Month], None]) -> None:
            plan.append((at, len(plan), act))

        for day in range(days):
            add(begins + day * DAY, self._morning)
            for person in self.people:
                for _ in range(3):
                    at = begins + day * DAY + HOUR * self.chance.uniform(0.5, 23.5)
                    add(at, lambda month, person=person: self._come_home(month, *person))
        for hours in (2, 9, 30):  # the platform is gone
            starts = begins + DAY * self.chance.uniform(0, max(1, days - 2))
            add(starts, self._begin_outage)
            add(starts + HOUR * hours, self._end_outage)
        for number, home in enumerate(self.homes):
            for _ in range(max(1, days // 8)):  # the lock's own network is gone
                starts = begins + DAY * self.chance.uniform(0, days)
                add(starts, lambda _month, home=home: home.disconnect())
                add(starts + HOUR * self.chance.uniform(1, 12), lambda _month, home=home: home.connect())
            if number % 3 == 0:  # its battery runs empty, and somebody changes it a day later
                starts = begins + DAY * self.chance.uniform(0, days - 1)
                add(starts, lambda _month, home=home: touches.set_battery(home.lock, 1))
                add(starts + DAY, lambda _month, home=home: touches.set_battery(home.lock, 100))
            if number % 3 == 1:  # power fails while there is no network: the clock is worth nothing until then
                starts = begins + DAY * self.chance.uniform(0, days - 1)
                add(starts, lambda _month, home=home: home.disconnect())
                add(starts, lambda _month, home=home: self._lose_power(home))
                add(starts + 6 * HOUR, lambda _month, home=home: home.connect())
        for at, _, act in sorted(plan, key=lambda each: each[:2]):
            yield at, act

    def _morning(self, _month: Month) -> None:
        for home, resident, _ in self.people:
            home.refresh(resident)
        if self.homes[0].platform_up:
            keep_house(self.world)

    def _begin_outage(self, _month: Month) -> None:
        for home in self.homes:
            home.begin_outage()

    def _end_outage(self, _month: Month) -> None:
        for home in self.homes:
            home.end_outage()

    @staticmethod
    def _lose_power(home: Household) -> None:
        touches.lose_power(home.lock)
        home.lock.restart_wanted = False  # the fleet's sign to connect anew; here the household does that

    # -- coming home --------------------------------------------------------------------------------------------------

    def _come_home(self, month: Month, home: Household, resident: Resident, habits: Habits) -> None:
        month.homecomings += 1
        dead, cleared, mute = (
            self.chance.random() < share for share in (habits.dead_phone, habits.cleared_browser, habits.no_signal)
        )
        if cleared and not dead:
            resident.stored, resident.codes, resident.phone = None, {}, Phone()
            month.troubles["cleared_browser"] += 1
        month.troubles["dead_phone"] += dead
        month.troubles["no_signal"] += mute
        month.rungs[self._first_open(home, resident, habits, dead=dead, mute=mute)] += 1
        if resident.stored is None and home.platform_up:  # at home, in peace: a fresh check binds the key anew
            stories.match_face(self.world, resident.account)
            card = rebind_key(
                self.world, account_id=resident.account, key_id=resident.key_id, phone_jwk=resident.phone.jwk
            )
            resident.key_id = card.id
            home.settle()
            home.refresh(resident)

    def _first_open(self, home: Household, resident: Resident, habits: Habits, *, dead: bool, mute: bool) -> str:
        has_key = self.chance.random() < habits.carries_key
        knows_code = not dead or self.chance.random() < habits.carries_codes
        if not dead and not mute and home.open_online(resident) == "executed":
            return "online"
        if not dead and habits.bluetooth and home.open_near(resident) == "opened":
            return "bluetooth"
        code = resident.codes.get(day_of(self.clock.now())) if knows_code else None
        if code is not None and home.type_code(code) == "opened":
            return "code"
        if has_key:
            touches.open_mechanically(home.lock)
            return "mechanical"
        return "person"
