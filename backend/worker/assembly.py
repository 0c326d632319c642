"""What the worker does, in four loops that do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from backend.bootstrap import world_of
from backend.gateways.world import World
from backend.services import agreements, audit, change_feed, document_checks, duties, housekeeping, messages
from backend.worker.loops import Loop, Step
from backend.worker.office_loop import send_once
from backend.worker.registry_loop import check_contact, process_once


def make_loops(app: Flask) -> list[Loop]:
    """The loops: one tells the registry, one other offices, one sends messages, one keeps house and seals the log."""
    world = world_of(app)
    telling = [
        Step("tell", 0, _with(process_once, world), wakes_again=True),
        Step("contact", 15, _with(check_contact, world)),
    ]
    sharing = [
        Step("end", 60, _with(agreements.end_overdue, world)),
        Step("number", 0, _with(change_feed.number_events, world), wakes_again=True),
        Step("share", 0, _with(send_once, world), wakes_again=True),
    ]
    writing = [Step("send", 0, _with(messages.send_due_messages, world), wakes_again=True)]
    keeping = [
        Step("seal", 1, _with(audit.seal_leaves, world)),
        Step("checkpoint", 60, _with(audit.sign_checkpoint, world)),
        Step("documents", 15, _with(document_checks.ask_again, world)),
        Step("house", 10, lambda: housekeeping.keep_house(world, housekeeping.OFTEN)),
        Step("duties", 0, _with(duties.keep_duties, world), wakes_again=True),
        Step("months", 3_600, lambda: housekeeping.keep_house(world, housekeeping.HOURLY)),
    ]
    return [
        Loop("registry", app, world.wake_up.listen("registry"), telling),
        Loop("offices", app, world.wake_up.listen("office"), sharing),
        Loop("messages", app, world.wake_up.listen("sms"), writing),
        Loop("house", app, world.wake_up.listen("house"), keeping),
    ]


def _with(call: Callable[[World], Any], world: World) -> Callable[[], Any]:
    return lambda: call(world)
