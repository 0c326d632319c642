"""Runs the bridge: `python -m backend.mqtt`. Answers GET /healthz on ANJU_BRIDGE_HEALTH_PORT."""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

import structlog

from backend.bootstrap import WrongRevision, check_revision, core_app, serve_health, set_up_logging, world_of
from backend.config import Settings, SettingsError
from backend.mqtt.bridge import Bridge
from backend.mqtt.handlers import Handlers
from backend.mqtt.link import BrokerLink
from backend.mqtt.sender import Sender

log = structlog.get_logger(__name__)


def main() -> int:
    """Run until SIGTERM or SIGINT; answers the exit status."""
    try:
        settings = Settings.from_environment()
        set_up_logging("bridge", settings.log_level)
        password = (settings.keys_folder / "bridge-mqtt-password").read_text().strip()
        app = core_app(settings, name="anju-bridge")
        check_revision(app)
    except (SettingsError, WrongRevision) as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"The bridge's password is missing ({error.filename}): `./anju demo` and `./anju up` make it.")
        return 1
    link = BrokerLink(settings.broker_host, settings.broker_port, password)
    bridge = Bridge(app, link, Handlers(world_of(app), link.publish))
    sender = Sender(app, world_of(app), link)

    def trouble() -> str | None:
        if not link.is_connected:
            return "no connection to the broker"
        if not threads[0].is_alive() or not threads[1].is_alive():
            return "a loop has ended"
        return bridge.database_trouble or sender.trouble

    threads = [threading.Thread(target=each.run, name=type(each).__name__) for each in (bridge, sender)]
    server = serve_health(settings.bridge_health_port, trouble)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    link.start()
    for thread in threads:
        thread.start()
    log.info("bridge_started")
    ended.wait()
    _end(link, bridge, sender, threads, server)
    return 0


def _end(link: BrokerLink, bridge: Bridge, sender: Sender, threads: list[threading.Thread], server: Any) -> None:
    sender.stop()
    bridge.stop()
    for thread in threads:
        thread.join(timeout=10)
    link.stop()
    server.shutdown()
    log.info("bridge_ended")


if __name__ == "__main__":
    sys.exit(main())
