"""Runs the bridge: `python -m backend.mqtt`. Answers GET /healthz and /counts on ANJU_BRIDGE_HEALTH_PORT.

Several may run, each under a name of its own; they share the locks by themselves.
"""

from __future__ import annotations

import signal
import sys
import threading

import structlog

from backend.bootstrap import WrongRevision, check_revision, core_app, serve_health, set_up_logging, world_of
from backend.config import Settings, SettingsError, bridge_password_file
from backend.mqtt.bridge import Bridge
from backend.mqtt.handlers import Handlers
from backend.mqtt.link import BrokerLink
from backend.mqtt.sender import Sender
from backend.mqtt.shards import ShardHolder
from backend.services.lock_reports import NOTED

log = structlog.get_logger(__name__)

SWITCH_SECONDS = 0.0005  # a command waits for no longer until the thread that stores events lets it go on


def main() -> int:
    """Run until SIGTERM or SIGINT; answers the exit status."""
    try:
        settings = Settings.from_environment()
        set_up_logging("bridge", settings.log_level)
        password = bridge_password_file(settings.keys_folder, settings.bridge_name).read_text().strip()
        app = core_app(settings, name="anju-bridge")
        check_revision(app)
    except (SettingsError, WrongRevision) as error:
        print(error, file=sys.stderr)
        return 1
    except FileNotFoundError as error:
        print(f"The bridge's password is missing ({error.filename}): `./anju demo` and `./anju up` make it.")
        return 1
    world, name = world_of(app), settings.bridge_name
    link = BrokerLink(settings.broker_host, settings.broker_port, name, password)
    ended = threading.Event()
    shards = ShardHolder(app, world, link, name, on_name_taken=ended.set)
    bridge = Bridge(app, link, Handlers(world, link.publish, shards), shards)
    sender = Sender(app, world, link, shards)
    sys.setswitchinterval(SWITCH_SECONDS)
    loops: tuple[ShardHolder | Bridge | Sender, ...] = (shards, bridge, sender)
    threads = [threading.Thread(target=each.run, name=type(each).__name__) for each in loops]

    def trouble() -> str | None:
        if not link.is_connected:
            return "no connection to the broker"
        if not all(thread.is_alive() for thread in threads):
            return "a loop has ended"
        return shards.trouble or bridge.database_trouble or sender.trouble

    server = serve_health(settings.bridge_health_port, trouble, lambda: {**bridge.counts, **NOTED})
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    link.start()
    for thread in threads:
        thread.start()
    log.info("bridge_started", name=name)
    ended.wait()
    for each, thread in reversed(list(zip(loops, threads, strict=True))):  # the lease until nothing acts for it
        each.stop()
        thread.join(timeout=10)
    shards.leave()
    link.stop()
    server.shutdown()
    log.info("bridge_ended", name=name)
    return 1 if shards.name_is_taken else 0


if __name__ == "__main__":
    sys.exit(main())
