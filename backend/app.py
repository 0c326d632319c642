"""The console's web app: assembly of the door for precinct staff."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from flask import Flask, request

from backend.bootstrap import assemble, check_revision, make_world, set_up_logging
from backend.config import Settings
from backend.console.door import authenticate, error_page, register_pages
from backend.gateways.world import World
from backend.web import install_assets, install_languages, open_door


def create_console_app(settings: Settings | None = None, world: World | None = None) -> Flask:
    """Assemble the console; a production server gets its settings from the environment, a test gives its own.

    Raises SettingsError, WrongRevision (database not migrated) or PolicyError (a route without a rule).
    """
    serving = settings is None
    settings = settings or Settings.from_environment()
    if serving:
        set_up_logging("console", settings.log_level)
    room = Path(str(resources.files("backend"))) / "console"
    app = ConsoleApp("anju-console", template_folder=str(room / "templates"), static_folder=str(room / "static"))
    world = world or make_world(settings)
    assemble(app, settings, world)
    if serving:
        check_revision(app)
    app.config.update(
        SECRET_KEY=world.key_ring.cookie_key("console"),
        SESSION_COOKIE_NAME="__Host-anju-c" if settings.cookie_secure else "anju-c",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        MAX_CONTENT_LENGTH=256 * 1024,  # the console takes forms, and the small file of an agreement
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # we send no Referer; the token alone decides
    )
    install_languages(app, "console", room / "translations" / "en.po", settings.var)
    install_assets(app)
    protect = register_pages(app)
    open_door(app, "console", authenticate, error_page)
    protect.init_app(app)  # after the door, so that its error page knows the caller
    return app


class ConsoleApp(Flask):
    """The console; a module asks for another without its version, and the two may not be of different ages."""

    def get_send_file_max_age(self, filename: str | None) -> int | None:
        """An hour for what has its version in its address; the rest is asked for each time."""
        return 3600 if "v" in request.args else None
