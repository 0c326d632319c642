"""What the worker does, in loops that do not wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from backend.bootstrap import world_of
from backend.gateways.world import World
from backend.services import (
    age_counts,
    agreements,
    audit_sealing,
    change_feed,
    document_checks,
    duties,
    housekeeping,
    import_work,
    messages,
    name_tokens,
    reported_answers,
)
from backend.services.turns import TurnHolder
from backend.worker.helpers import Bell, help_out, process_and_call
from backend.worker.log_watch import LogWatch
from backend.worker.loops import Loop, Step
from backend.worker.office_loop import send_once
from backend.worker.registry_loop import check_contact
from backend.worker.returning import compare_at_night, take_corrections, take_reads

# Batches in flight of one worker: while one is judged, the next is built and the last one's answers are stored.
HELPERS = 2


def make_loops(app: Flask) -> list[Loop]:
    """The loops: one tells the registry, with helpers for a backlog; one takes what comes back; one tells other
    offices; one goes through imports; one sends short messages; one keeps the house.

    Any number of workers may run: what is told or sent is claimed row by row, and the house is kept by one at a time.
    """
    world = world_of(app)
    bells = [Bell() for _ in range(HELPERS)]
    telling = [
        Step("tell", 0, lambda: process_and_call(world, bells), wakes_again=True),
        Step("contact", 15, _with(check_contact, world)),
    ]
    sharing = [
        Step("end", 60, _with(agreements.end_overdue, world)),
        Step("reported", 60, _with(reported_answers.settle_late_reports, world), wakes_again=True),
        Step("number", 0, _with(change_feed.number_events, world), wakes_again=True),
        Step("share", 0, _with(send_once, world), wakes_again=True),
    ]
    turn = TurnHolder(world, "imports")
    importing = [
        Step("work", 0, lambda: import_work.work_on_imports(world, turn), wakes_again=True),
        Step("forget", 60, lambda: import_work.forget_files(world) if turn.is_mine() else None),
    ]
    writing = [Step("send", 0, _with(messages.send_due_messages, world), wakes_again=True)]
    return [
        Loop("registry", app, world.wake_up.listen("registry"), telling),
        *(_helper(app, world, number, bell) for number, bell in enumerate(bells, 1)),
        Loop("returns", app, world.wake_up.listen("returns"), _returning(world)),
        Loop("offices", app, world.wake_up.listen("office"), sharing),
        Loop("imports", app, world.wake_up.listen("imports"), importing),
        Loop("messages", app, world.wake_up.listen("sms"), writing),
        Loop("house", app, world.wake_up.listen("house"), _keeping(world)),
    ]


def _keeping(world: World) -> list[Step]:
    mine, place, watch = _in_turn(world, "house"), audit_sealing.SignedPlace(), LogWatch(world)
    return [
        Step("seal", 1, mine(_with(audit_sealing.seal_leaves, world))),
        Step("checkpoint", 60, mine(lambda: audit_sealing.sign_checkpoint(world, place))),
        Step("check", 1, mine(watch.go_on)),
        Step("documents", 15, mine(_with(document_checks.ask_again, world))),
        Step("names", 5, mine(_with(name_tokens.fill_name_tokens, world))),
        Step("ages", 5, mine(_with(age_counts.count_ages, world))),
        Step("house", 10, mine(lambda: housekeeping.keep_house(world, housekeeping.OFTEN))),
        Step("duties", 0, mine(_with(duties.keep_duties, world)), wakes_again=True),
        Step("months", 3_600, mine(lambda: housekeeping.keep_house(world, housekeeping.HOURLY))),
    ]


def _returning(world: World) -> list[Step]:
    mine = _in_turn(world, "returns")
    return [
        Step("corrections", 10, mine(_with(take_corrections, world))),
        Step("reads", 15, mine(_with(take_reads, world))),
        Step("compare", 5, mine(_with(compare_at_night, world))),
    ]


def _in_turn(world: World, name: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """Let steps run only in the worker whose turn it is."""
    turn = TurnHolder(world, name)

    def mine(call: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: call() if turn.is_mine() else None

    return mine


def _helper(app: Flask, world: World, number: int, bell: Bell) -> Loop:
    return Loop(f"registry-{number + 1}", app, bell, [Step("help", 0, lambda: help_out(world, bell), wakes_again=True)])


def _with(call: Callable[[World], Any], world: World) -> Callable[[], Any]:
    return lambda: call(world)
