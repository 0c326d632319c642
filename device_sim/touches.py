"""What hands and accidents do to a lock: doors, bolts, batteries, force."""

from __future__ import annotations

from device_sim.lock import Lock

DOOR_EVENTS = {"open": "door.opened", "closed": "door.closed", "ajar": "door.ajar"}


def force_door(lock: Lock) -> None:
    """Somebody breaks the door open while the bolt is out."""
    lock.body.door = "open"
    lock.record("door.forced")


def lift_cover(lock: Lock) -> None:
    """Somebody takes the cover off."""
    lock.record("tamper.cover")


def move_door(lock: Lock, door: str) -> None:
    """Somebody opens the door, closes it, or leaves it ajar. Raises KeyError for another word."""
    kind = DOOR_EVENTS[door]
    if door != lock.body.door:
        lock.body.door = door
        lock.record(kind)
        lock.doorway.on_door(door)


def set_battery(lock: Lock, percent: int) -> None:
    """The charge changes; passing a limit downwards is an event."""
    lock.drain_to(percent)
    lock.session.send_telemetry()


def set_privacy(lock: Lock, on: bool) -> None:
    """Somebody inside turns the privacy knob."""
    if on != lock.body.privacy:
        lock.body.privacy = on
        lock.record("privacy.on" if on else "privacy.off")


def open_mechanically(lock: Lock) -> None:
    """Somebody opens with the mechanical key: always possible."""
    lock.body.bolt = "unlocked"
    lock.record("mech_key.used", via="mechanical")


def open_from_inside(lock: Lock) -> None:
    """Somebody inside turns the handle: always possible, whatever the lock thinks."""
    lock.body.bolt = "unlocked"
    lock.record("inside.opened", via="inside")
    lock.doorway.on_unlocked()
    move_door(lock, "open")


def fill_log(lock: Lock, events: int) -> None:
    """The door goes to and fro until so many events are written."""
    for number in range(events):
        lock.record("door.opened" if number % 2 == 0 else "door.closed")


def lose_power(lock: Lock) -> None:
    """Power fails and comes back: the clock is worth nothing until it is set again."""
    lock.clock.lose_power()
    lock.reboot()
    lock.record("clock.lost")
    lock.record("power.restored")
    lock.restart_wanted = True
