"""Nothing polls: who sends and who waits sleeps until it is woken, and looks by itself once a second at most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from backend.db import transaction
from backend.gateways.world import World
from backend.mqtt.sender import SWEEP_SECONDS, Sender
from backend.services import commands
from backend.wire.lock_messages import CommandResult
from tests.mqtt.villages import MemoryLink
from tests.services.reports import AT, BOOT, make_birth
from tests.services.stories import Story, make_active

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Ear:
    """Remembers how long each sleep would be; what `during` holds happens in them, one after the other."""

    def __init__(self) -> None:
        self.sleeps: list[float] = []
        self.during: list[Callable[[], None]] = []
        self.channels: list[str] = []

    def notify(self, channel: str) -> None:
        """Nobody else listens."""

    def name_in_database(self, channel: str) -> str | None:
        return None

    def listen(self, channel: str) -> Ear:
        self.channels.append(channel)
        return self

    def wait(self, seconds: float) -> bool:
        self.sleeps.append(seconds)
        if self.during:
            self.during.pop(0)()
        return True

    def close(self) -> None:
        """Nothing to end."""


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
def world(world: World, ear: Ear) -> World:
    return replace(world, wake_up=ear)


@pytest.fixture
def story(core: Flask, world: World) -> Story:
    from backend.services import lock_reports

    story = make_active(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    return story


def ask(world: World, story: Story) -> str:
    return commands.request_unlock(world, account_id=story.tenant, key_id=story.key_id, idempotency_key="tap").id


def test_the_sender_sends_at_its_first_waking_and_sleeps_a_second_otherwise(
    core: Flask, world: World, story: Story, ear: Ear
) -> None:
    link = MemoryLink()
    sender = Sender(core, world, link)  # type: ignore[arg-type]
    sent: list[int] = []

    def tap() -> None:
        link.published.clear()
        ask(world, story)

    ear.during = [tap, lambda: sent.append(len(link.published)), sender.stop]
    sender.run()
    assert ear.channels == ["lock"]
    assert sent == [1], "sent between the waking and the next sleep"
    assert set(ear.sleeps) == {SWEEP_SECONDS} and SWEEP_SECONDS <= 1 and len(ear.sleeps) == 3


def test_who_waits_for_a_command_looks_once_for_each_waking(
    world: World, story: Story, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask(world, story)
    looks: list[Any] = []
    get = commands.get_command

    def look(*arguments: Any, **named: Any) -> Any:
        looks.append(get(*arguments, **named))
        return looks[-1]

    monkeypatch.setattr(commands, "get_command", look)

    def answer() -> None:
        from backend.services import lock_reports

        result = CommandResult(asked, "executed", BOOT, AT, None, None)
        lock_reports.record_command_result(world, story.identity.lock_id, result)

    ear.during = [lambda: None, answer]
    view = commands.wait_for_command(world, account_id=story.tenant, command_id=asked, seconds=3)
    assert view.state == "executed" and ear.channels == ["command"]
    assert len(ear.sleeps) == 2 and len(looks) == 3, "with the ear open, and after each waking"


def test_a_commit_wakes_the_sender_and_a_failed_one_nobody(core: Flask, world: World, story: Story) -> None:
    from backend.services.key_lists import enqueue_key_list

    woken: list[str] = []
    telling = replace(world, wake_up=type("Told", (Ear,), {"notify": lambda self, channel: woken.append(channel)})())
    with pytest.raises(ZeroDivisionError), transaction() as session:
        enqueue_key_list(telling, session, story.identity.lock_id)
        raise ZeroDivisionError
    assert woken == []
    with transaction() as session:
        enqueue_key_list(telling, session, story.identity.lock_id)
        assert woken == [], "not before it is durable"
    assert woken == ["lock"]
