"""The offices' web app: assembly of the door for other entitled offices."""

from __future__ import annotations

from typing import Any

from flask import Flask, jsonify

from backend.bootstrap import assemble, check_revision, database_trouble, make_world, set_up_logging
from backend.config import Settings
from backend.gateways.world import World
from backend.offices import calls
from backend.offices.door import authenticate, error_answer_json
from backend.web import open_door
from backend.wire.cloud_events import LARGEST_BATCH_BYTES


def create_offices_app(settings: Settings | None = None, world: World | None = None) -> Flask:
    """Assemble the door; a production server gets its settings from the environment, a test gives its own.

    Raises SettingsError, WrongRevision (database not migrated) or PolicyError (a route without a rule).
    """
    serving = settings is None
    settings = settings or Settings.from_environment()
    if serving:
        set_up_logging("offices", settings.log_level)
    app = Flask("anju-offices", static_folder=None)
    assemble(app, settings, world or make_world(settings))
    if serving:
        check_revision(app)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BATCH_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(calls.blueprint)

    @app.get("/healthz")
    def healthz() -> Any:
        """200 when the database answers."""
        trouble = database_trouble(app)
        return jsonify({"status": "down", "reason": trouble} if trouble else {"status": "ok"}), 503 if trouble else 200

    open_door(app, "offices", authenticate, error_answer_json)
    return app
