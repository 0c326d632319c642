"""The simulator's control over HTTP, on 127.0.0.1 only: what a hand at the door or a storm would do, by request.

    GET  /healthz                          200 when every lock that should be connected is
    GET  /_sim/locks                       all locks
    GET  /_sim/locks/{lock}                one lock
    POST /_sim/locks/{lock}/{action}       body: a JSON object with the action's arguments; answers the lock
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from backend.wire.topics import CHANNELS
from device_sim import touches
from device_sim.fleet import Fleet
from device_sim.mqtt_link import MqttLink

HOST = "127.0.0.1"
LARGEST_BODY = 4_096


class ControlRefused(Exception):
    """The request cannot be served; `status` is the HTTP status."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def describe(link: MqttLink) -> dict[str, Any]:
    """One lock as the control shows it."""
    return {**link.lock.describe(), "wanted": link.wanted, "connected": link.connected}


def _whole(arguments: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ControlRefused(422, f"{name}: a whole number from {low} to {high} is needed")
    return value


def _flag(arguments: Mapping[str, Any]) -> bool:
    value = arguments.get("on", True)
    if not isinstance(value, bool):
        raise ControlRefused(422, "on: true or false is needed")
    return value


def _word(arguments: Mapping[str, Any], name: str, words: Mapping[str, Any]) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or value not in words:
        raise ControlRefused(422, f"{name}: one of {', '.join(words)} is needed")
    return value


def _offline(link: MqttLink, arguments: Mapping[str, Any]) -> None:
    link.wanted = False
    if arguments.get("goodbye") is True:
        link.say_goodbye()
    else:
        link.cut()


def _online(link: MqttLink, _arguments: Mapping[str, Any]) -> None:
    link.wanted = True


def _drop(link: MqttLink, arguments: Mapping[str, Any]) -> None:
    channel = CHANNELS[_word(arguments, "channel", CHANNELS)]
    faults = link.down_faults if channel.is_down else link.up_faults
    faults.drop_next[channel.path] += _whole(arguments, "count", 1, 1_000)


def _faults(link: MqttLink, arguments: Mapping[str, Any]) -> None:
    for faults in (link.up_faults, link.down_faults):
        for name in ("drop", "duplicate", "reorder"):
            setattr(faults, name, _whole({name: 0, **arguments}, name, 0, 100) / 100)


def _jam(link: MqttLink, arguments: Mapping[str, Any]) -> None:
    link.lock.body.jammed = _flag(arguments)


def _reboot(link: MqttLink, _arguments: Mapping[str, Any]) -> None:
    link.lock.restart_wanted = True


def _wipe(link: MqttLink, _arguments: Mapping[str, Any]) -> None:
    link.cut()
    link.lock.wipe()


Action = Callable[[MqttLink, Mapping[str, Any]], None]

ACTIONS: dict[str, Action] = {
    "offline": _offline,
    "online": _online,
    "drop": _drop,
    "faults": _faults,
    "jam": _jam,
    "reboot": _reboot,
    "wipe": _wipe,
    "force": lambda link, _: touches.force_door(link.lock),
    "tamper": lambda link, _: touches.lift_cover(link.lock),
    "door": lambda link, args: touches.move_door(link.lock, _word(args, "state", touches.DOOR_EVENTS)),
    "battery": lambda link, args: touches.set_battery(link.lock, _whole(args, "percent", 0, 100)),
    "privacy": lambda link, args: touches.set_privacy(link.lock, _flag(args)),
    "mechanical-key": lambda link, _: touches.open_mechanically(link.lock),
    "power-loss": lambda link, _: touches.lose_power(link.lock),
    "clock-jump": lambda link, args: link.lock.clock.jump(_whole(args, "seconds", -(10**8), 10**8)),
}


class Control:
    """The HTTP server of the control; `port` 0 takes a free one."""

    def __init__(self, fleet: Fleet, port: int) -> None:
        self._server = ThreadingHTTPServer((HOST, port), _handler_for(fleet))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def serve(self) -> None:
        """Serve until `close` is called; runs in a thread of its own."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def answer(fleet: Fleet, method: str, path: str, arguments: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
    """Serve one request. Raises ControlRefused."""
    if method == "GET" and path == "/healthz":
        counts = fleet.call(fleet.counts)
        if counts["connected"] < counts["wanted"]:
            reason = f"{counts['connected']} of {counts['wanted']} locks are connected to the broker"
            return 503, {"status": "starting", "reason": reason, **counts}
        return 200, {"status": "ok", **counts}
    if method == "GET" and path == "/_sim/locks":
        return 200, {"locks": fleet.call(lambda: [describe(link) for link in fleet.links.values()])}
    found = re.fullmatch(r"/_sim/locks/([^/]+)(?:/([a-z-]+))?", path)
    link = fleet.links.get(found[1]) if found else None
    if found is None or link is None:
        raise ControlRefused(404, "no such lock or path")
    if method == "GET" and found[2] is None:
        return 200, fleet.call(lambda: describe(link))
    action = ACTIONS.get(found[2] or "")
    if method != "POST" or action is None:
        raise ControlRefused(404, f"POST one of: {', '.join(ACTIONS)}")
    fleet.call(lambda: action(link, arguments))
    return 200, fleet.call(lambda: describe(link))


def _handler_for(fleet: Fleet) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            try:
                status, body = answer(fleet, method, self.path, self._arguments())
            except ControlRefused as refused:
                status, body = refused.status, {"error": str(refused)}
            except TimeoutError:
                status, body = 503, {"status": "failing", "reason": "the fleet does not answer"}
            raw = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _arguments(self) -> dict[str, Any]:
            length = self.headers.get("Content-Length") or "0"
            if not length.isdigit() or int(length) > LARGEST_BODY:
                self.close_connection = True
                raise ControlRefused(413, "the body is too large")
            raw = self.rfile.read(int(length))
            try:
                value = json.loads(raw) if raw else {}
            except ValueError:
                raise ControlRefused(400, "the body is not JSON") from None
            if not isinstance(value, dict):
                raise ControlRefused(400, "the body is not a JSON object")
            return value

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the supervisor's log is for what goes wrong."""

    return Handler
