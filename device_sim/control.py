"""The simulator's control over HTTP, on 127.0.0.1 only: what a hand at the door or a storm would do, by request.

    GET  /healthz                          200 when every lock that should be connected is
    GET  /_sim/locks                       all locks
    GET  /_sim/locks/{lock}                one lock
    POST /_sim/locks/{lock}/{action}       body: a JSON object with the action's arguments; answers the lock, and
                                           under `answer` what the action itself has to say

Network:  offline {goodbye} · online · drop {channel, count} · faults {drop, duplicate, reorder: percent} ·
          delay {seconds, percent, direction: up|down|both} · partition {on, direction}: one way silent ·
          lose-ack: the lock acts on its next command, and all it says at once about it is lost
Hands:    door {state: open|closed|ajar} · inside · mechanical-key · privacy {on} ·
          keypad {code}: answers opened, refused or waiting
Trouble:  jam {on} · force · tamper · battery {percent} · power-loss · reboot · wipe: the flash is empty ·
          fill-log {events} · clock-jump {seconds} · clock-skew {seconds} · clock-drift {ppm}
Attacks:  storm {count}: wrong proofs with the credential last shown here · replay: the M3 last shown here, again ·
          clone: a copy of this lock sends an event of its own
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from device_sim.actions import ActionRefused, act
from device_sim.fleet import Fleet
from device_sim.mqtt_link import MqttLink

HOST = "127.0.0.1"
LARGEST_BODY = 4_096


def describe(link: MqttLink) -> dict[str, Any]:
    """One lock as the control shows it."""
    return {**link.lock.describe(), "wanted": link.wanted, "connected": link.connected}


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
    """Serve one request. Raises ActionRefused."""
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
        raise ActionRefused(404, "no such lock or path")
    if method == "GET" and found[2] is None:
        return 200, fleet.call(lambda: describe(link))
    if method != "POST" or found[2] is None:
        raise ActionRefused(404, "no such lock or path")
    said = fleet.call(lambda: act(found[2], link, arguments))
    shown = fleet.call(lambda: describe(link))
    return 200, shown if said is None else {**shown, "answer": said}


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
            except ActionRefused as refused:
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
                raise ActionRefused(413, "the body is too large")
            raw = self.rfile.read(int(length))
            try:
                value = json.loads(raw) if raw else {}
            except ValueError:
                raise ActionRefused(400, "the body is not JSON") from None
            if not isinstance(value, dict):
                raise ActionRefused(400, "the body is not a JSON object")
            return value

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet: the supervisor's log is for what goes wrong."""

    return Handler
