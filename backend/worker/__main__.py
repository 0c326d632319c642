"""`python -m backend.worker`: run the worker until it is told to stop (SIGTERM, Ctrl-C)."""

from __future__ import annotations

import signal
import sys
import threading

import structlog

from backend.bootstrap import WrongRevision, check_revision, core_app, serve_health, set_up_logging
from backend.config import Settings, SettingsError
from backend.worker.assembly import make_loops
from backend.worker.log_watch import count_checked


def main() -> int:
    """Run; 1 with one clear sentence when it cannot start."""
    try:
        settings = Settings.from_environment()
        set_up_logging("worker", settings.log_level)
        app = core_app(settings)
        check_revision(app)
    except (SettingsError, WrongRevision) as error:
        print(f"The worker cannot start: {error}", file=sys.stderr)
        return 1
    stopping = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopping.set())
    loops = make_loops(app)
    for loop in loops:
        loop.start()
    health = serve_health(
        settings.worker_health_port,
        lambda: next((fault for loop in loops if (fault := loop.fault())), None),
        lambda: count_checked(app),
    )
    structlog.get_logger(__name__).info("worker_started", health_port=settings.worker_health_port)
    stopping.wait()
    for loop in loops:
        loop.stop()
    health.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
