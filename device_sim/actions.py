"""The actions of the simulator's control: each one's arguments, checked, and what it does to a lock or its link."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from backend.wire import topics
from device_sim import attacks, touches
from device_sim.faults import LinkFaults
from device_sim.mqtt_link import MqttLink

DIRECTIONS = ("up", "down", "both")
LARGEST_JUMP = 10**8


class ActionRefused(Exception):
    """The action cannot be done; `status` is the HTTP status. The words hold no argument's value."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


Arguments = Mapping[str, Any]


class Action(NamedTuple):
    """What is done, and the names its arguments may have; what it returns is shown as `answer`."""

    do: Callable[[MqttLink, Arguments], Any]
    names: tuple[str, ...] = ()


def act(name: str, link: MqttLink, arguments: Arguments) -> Any:
    """Do the action `name`; answers what it has to say, or None.

    Raises ActionRefused for an unknown action or argument, and for a value that is no such argument.
    """
    action = ACTIONS.get(name)
    if action is None:
        raise ActionRefused(404, f"POST one of: {', '.join(ACTIONS)}")
    if not arguments.keys() <= set(action.names):
        raise ActionRefused(422, f"{name} takes: {', '.join(action.names) or 'nothing'}")
    return action.do(link, arguments)


def _whole(arguments: Arguments, name: str, low: int, high: int, default: int | None = None) -> int:
    value = arguments.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ActionRefused(422, f"{name}: a whole number from {low} to {high} is needed")
    return value


def _flag(arguments: Arguments, name: str = "on", default: bool = True) -> bool:
    value = arguments.get(name, default)
    if not isinstance(value, bool):
        raise ActionRefused(422, f"{name}: true or false is needed")
    return value


def _word(arguments: Arguments, name: str, words: tuple[str, ...], default: str | None = None) -> str:
    value = arguments.get(name, default)
    if not isinstance(value, str) or value not in words:
        raise ActionRefused(422, f"{name}: one of {', '.join(words)} is needed")
    return value


def _faulty(link: MqttLink, arguments: Arguments) -> list[LinkFaults]:
    direction = _word(arguments, "direction", DIRECTIONS, "both")
    chosen = {"up": [link.up_faults], "down": [link.down_faults], "both": [link.up_faults, link.down_faults]}
    return chosen[direction]


def _offline(link: MqttLink, arguments: Arguments) -> None:
    goodbye = _flag(arguments, "goodbye", False)
    link.wanted = False
    if goodbye:
        link.say_goodbye()
    else:
        link.cut()


def _online(link: MqttLink, _arguments: Arguments) -> None:
    link.wanted = True


def _drop(link: MqttLink, arguments: Arguments) -> None:
    channel = topics.CHANNELS[_word(arguments, "channel", tuple(topics.CHANNELS))]
    faults = link.down_faults if channel.is_down else link.up_faults
    faults.drop_next[channel.path] += _whole(arguments, "count", 1, 1_000)


def _faults(link: MqttLink, arguments: Arguments) -> None:
    shares = {name: _whole(arguments, name, 0, 100, 0) / 100 for name in ("drop", "duplicate", "reorder")}
    for faults in (link.up_faults, link.down_faults):
        for name, share in shares.items():
            setattr(faults, name, share)


def _delay(link: MqttLink, arguments: Arguments) -> None:
    seconds, percent = _whole(arguments, "seconds", 0, 3_600), _whole(arguments, "percent", 0, 100, 100)
    for faults in _faulty(link, arguments):
        faults.delay, faults.delay_seconds = (percent / 100 if seconds else 0.0), float(seconds)


def _partition(link: MqttLink, arguments: Arguments) -> None:
    on = _flag(arguments)
    for faults in _faulty(link, arguments):
        faults.silent = on


def _lose_ack(link: MqttLink, _arguments: Arguments) -> None:
    link.lose_next_answer = True


def _jam(link: MqttLink, arguments: Arguments) -> None:
    link.lock.body.jammed = _flag(arguments)


def _reboot(link: MqttLink, _arguments: Arguments) -> None:
    link.lock.restart_wanted = True


def _wipe(link: MqttLink, _arguments: Arguments) -> None:
    link.cut()
    link.lock.wipe()


def _keypad(link: MqttLink, arguments: Arguments) -> str:
    code = arguments.get("code")
    if not isinstance(code, str) or re.fullmatch(r"[0-9]{1,16}", code) is None:
        raise ActionRefused(422, "code: text of 1 to 16 digits is needed")
    return link.lock.keypad.type_code(code)


def _overheard(link: MqttLink) -> bytes:
    recorded = link.lock.near.overheard
    if recorded is None:
        raise ActionRefused(409, "nobody has shown a credential over the near link yet: nothing was overheard")
    return recorded


def _storm(link: MqttLink, arguments: Arguments) -> dict[str, int]:
    count = _whole(arguments, "count", 1, 1_000)
    return dict(attacks.storm(link.lock, _overheard(link), count))


def _replay(link: MqttLink, _arguments: Arguments) -> str:
    return attacks.replay(link.lock, _overheard(link))


def _clone(link: MqttLink, _arguments: Arguments) -> None:
    if not link.connected:
        raise ActionRefused(409, "the lock is not connected: its copy has no connection to speak over")
    forged = attacks.fork(link.lock)
    link.flush()
    link.inject(topics.EVENTS, forged)


ACTIONS: dict[str, Action] = {
    "offline": Action(_offline, ("goodbye",)),
    "online": Action(_online),
    "drop": Action(_drop, ("channel", "count")),
    "faults": Action(_faults, ("drop", "duplicate", "reorder")),
    "delay": Action(_delay, ("seconds", "percent", "direction")),
    "partition": Action(_partition, ("on", "direction")),
    "lose-ack": Action(_lose_ack),
    "jam": Action(_jam, ("on",)),
    "reboot": Action(_reboot),
    "wipe": Action(_wipe),
    "force": Action(lambda link, _: touches.force_door(link.lock)),
    "tamper": Action(lambda link, _: touches.lift_cover(link.lock)),
    "door": Action(
        lambda link, args: touches.move_door(link.lock, _word(args, "state", tuple(touches.DOOR_EVENTS))), ("state",)
    ),
    "inside": Action(lambda link, _: touches.open_from_inside(link.lock)),
    "battery": Action(
        lambda link, args: touches.set_battery(link.lock, _whole(args, "percent", 0, 100)), ("percent",)
    ),
    "privacy": Action(lambda link, args: touches.set_privacy(link.lock, _flag(args)), ("on",)),
    "mechanical-key": Action(lambda link, _: touches.open_mechanically(link.lock)),
    "power-loss": Action(lambda link, _: touches.lose_power(link.lock)),
    "clock-jump": Action(
        lambda link, args: link.lock.clock.jump(_whole(args, "seconds", -LARGEST_JUMP, LARGEST_JUMP)), ("seconds",)
    ),
    "clock-skew": Action(
        lambda link, args: link.lock.clock.skew(_whole(args, "seconds", -LARGEST_JUMP, LARGEST_JUMP)), ("seconds",)
    ),
    "clock-drift": Action(
        lambda link, args: link.lock.clock.drift(_whole(args, "ppm", -100_000, 100_000)), ("ppm",)
    ),
    "fill-log": Action(
        lambda link, args: touches.fill_log(link.lock, _whole(args, "events", 1, 6_000)), ("events",)
    ),
    "keypad": Action(_keypad, ("code",)),
    "storm": Action(_storm, ("count",)),
    "replay": Action(_replay),
    "clone": Action(_clone),
}
