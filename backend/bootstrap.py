"""Assembly shared by every process: settings, world, database, logging."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.config import Settings, SettingsError
from backend.db import db, init_db
from backend.domain.appointments import OpeningHours, read_spans
from backend.domain.house_rules import DEMO_HANDLER, Handler, HouseRules
from backend.domain.officers import ROLES
from backend.gateways.clock import SystemClock
from backend.gateways.face_matcher import make_face_matcher
from backend.gateways.file_shelf import DiskShelf
from backend.gateways.identity_authority import HttpAuthority, StandInAuthority
from backend.gateways.key_ring import FileKeyRing
from backend.gateways.network_identity import HttpNetworkIdentity
from backend.gateways.office_client import HttpOfficeClient
from backend.gateways.registry_client import HttpRegistryClient
from backend.gateways.sms import DemoSms, HttpSms
from backend.gateways.tokens import FileTokens
from backend.gateways.wake_up import PostgresWakeUp, SocketWakeUp
from backend.gateways.world import World
from backend.services.standings import keep_standings

WORLD = "anju_world"


class WrongRevision(Exception):
    """The database's schema is not the one this code was written for."""


def house_rules(settings: Settings) -> HouseRules:
    """The installation's limits out of its settings."""
    return HouseRules(
        demo=settings.demo,
        handler=handler_of(settings),
        mobile_url=settings.mobile_url.rstrip("/"),
        console_url=settings.console_url.rstrip("/"),
        key_life_occupant=timedelta(days=settings.key_days_occupant),
        outage_grace=timedelta(days=settings.key_outage_grace_days),
        draft_life=timedelta(days=settings.draft_days),
        invitation_life=timedelta(days=settings.invitation_days),
        attestation_review=timedelta(hours=settings.attestation_review_hours),
        door_events_kept=timedelta(days=settings.door_event_days),
        person_reads_per_day=settings.person_reads_per_day,
        person_reads_by_role=reads_by_role(settings),
        letters_per_day=settings.letters_per_day,
        officer_idle=timedelta(minutes=settings.officer_idle_minutes),
        identity_kept=timedelta(days=settings.identity_days),
        area_per_head_m2=settings.area_per_head_m2,
        persons_per_room=settings.persons_per_room,
        opening_hours=opening_hours(settings),
        print_font=settings.print_font,
        face_match_at_most=settings.face_match_at_most,
        face_review_at_most=settings.face_review_at_most,
    )


def handler_of(settings: Settings) -> Handler:
    """Who answers for the data: as set, in the demo an invented office for what is left out."""
    said = Handler(settings.handler_zh, settings.handler_en, settings.handler_contact)
    return Handler(said.zh or DEMO_HANDLER.zh, said.en or DEMO_HANDLER.en, said.contact or DEMO_HANDLER.contact)


def reads_by_role(settings: Settings) -> dict[str, int]:
    """The roles with a day's cap of their own; raises SettingsError when the list cannot be read."""
    pairs = [entry.strip().partition("=") for entry in settings.person_reads_by_role.split(",") if entry.strip()]
    if any(role not in ROLES or not number.isdecimal() for role, _, number in pairs):
        raise SettingsError(
            f"ANJU_PERSON_READS_BY_ROLE = {settings.person_reads_by_role!r} is not of the form "
            f"grid_worker=20,window_clerk=60; the roles are {', '.join(ROLES)}."
        )
    return {role: int(number) for role, _, number in pairs}


def opening_hours(settings: Settings) -> OpeningHours:
    """When the window and live video are served; raises SettingsError when the hours cannot be read."""
    try:
        spans = read_spans(settings.window_hours)
    except ValueError:
        raise SettingsError(
            f"ANJU_WINDOW_HOURS = {settings.window_hours!r} is not of the form 08:30-11:30,14:00-17:30."
        ) from None
    return OpeningHours(spans, timedelta(minutes=settings.slot_minutes), settings.slot_places, settings.slot_days)


def make_world(settings: Settings, *, with_faces: bool = False) -> World:
    """The real parts, chosen by settings; only a process that checks faces starts the face workers."""
    folder = settings.keys_folder
    tokens = FileTokens(folder)
    postgres = settings.database_url.startswith("postgresql")
    return World(
        house=house_rules(settings),
        clock=SystemClock(),
        key_ring=FileKeyRing(folder),
        tokens=tokens,
        sms=HttpSms(settings.sms_url, settings.sms_token)
        if settings.sms_url
        else DemoSms(settings.var / "demo" / "messages.jsonl"),
        faces=make_face_matcher(workers=settings.face_workers if with_faces else 0),
        authority=HttpAuthority(
            settings.authority_url,
            settings.authority_token,
            client_cert=settings.authority_client_cert,
            client_key=settings.authority_client_key,
            ca=settings.authority_ca,
        )
        if settings.authority_url
        else StandInAuthority(),
        registry=HttpRegistryClient(
            settings.registry_url,
            tokens,
            Path(settings.registry_keys or settings.var / "registry" / "public.jwks.json"),
            client_cert=settings.registry_client_cert,
            client_key=settings.registry_client_key,
            ca=settings.registry_ca,
        ),
        wake_up=PostgresWakeUp(settings.database_url) if postgres else SocketWakeUp(settings.var),
        offices=HttpOfficeClient(
            tokens,
            client_cert=settings.offices_client_cert,
            client_key=settings.offices_client_key,
            ca=settings.offices_ca,
        ),
        shelf=DiskShelf(settings.var / "uploads"),
        network_identity=HttpNetworkIdentity(
            settings.netid_url,
            tokens,
            client_cert=settings.netid_client_cert,
            client_key=settings.netid_client_key,
            ca=settings.netid_ca,
        )
        if settings.netid_url
        else None,
    )


def core_app(settings: Settings | None = None, world: World | None = None, *, name: str = "anju-core") -> Flask:
    """A Flask app without routes: the context in which services run in bridge, worker, commands and tests."""
    settings = settings or Settings.from_environment()
    app = Flask(name, static_folder=None)
    assemble(app, settings, world or make_world(settings))
    return app


def assemble(app: Flask, settings: Settings, world: World) -> None:
    """Give `app` its database and its world."""
    app.config["ANJU_SETTINGS"] = settings
    app.extensions[WORLD] = world
    init_db(app, settings.database_url)
    keep_standings()


def world_of(app: Flask) -> World:
    """The world of an assembled app."""
    world: World = app.extensions[WORLD]
    return world


def alembic_config() -> Config:
    """Alembic's configuration for the core's migrations; the url is given by the caller's app context."""
    config = Config()
    config.set_main_option("script_location", str(resources.files("backend") / "migrations"))
    return config


def upgrade_database(app: Flask) -> None:
    """Bring the database of `app` to the newest migration."""
    settings: Settings = app.config["ANJU_SETTINGS"]
    if settings.database_url.startswith("sqlite:///"):
        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = alembic_config()
    with app.app_context(), db.engine.connect() as connection:
        config.attributes["connection"] = connection
        if connection.dialect.name == "sqlite":  # it alters a table by making it anew, while others refer to its rows
            connection.connection.execute("PRAGMA foreign_keys = OFF")
        command.upgrade(config, "head")
        connection.commit()
        connection.detach()  # the next connection checks foreign keys again


def check_revision(app: Flask) -> None:
    """Raise WrongRevision unless the database stands at the newest migration."""
    wanted = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with app.app_context(), db.engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != wanted:
        raise WrongRevision(
            f"The database is at revision {found or 'none'}, this program needs {wanted}: "
            "run `python -m backend.cli upgrade-database`."
        )


def database_trouble(app: Flask) -> str | None:
    """Why the database cannot be asked, or None when it answers; for the health checks."""
    try:
        with app.app_context(), db.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return f"the database does not answer ({type(error).__name__})"
    return None


def set_up_logging(process: str, level: str = "INFO") -> None:
    """One JSON line per entry on standard error; the process name is in each."""
    logging.basicConfig(level=level, stream=sys.stderr, format="%(message)s", force=True)
    for noisy in ("sqlalchemy", "alembic", "PIL", "werkzeug", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(process=process)


def serve_health(
    port: int, check: Callable[[], str | None], counts: Callable[[], Mapping[str, int]] | None = None
) -> ThreadingHTTPServer:
    """Answer GET /healthz on 127.0.0.1:`port`: 200 when `check` answers None, else 503 with its sentence.

    With `counts` also GET /counts: numbers by name, as the process keeps them.
    """

    def answer(path: str) -> tuple[int, object]:
        if path == "/counts" and counts is not None:
            return 200, dict(sorted(counts().items()))
        reason = check() if path == "/healthz" else "no such page"
        if reason is None:
            return 200, {"status": "ok"}
        return 503 if path == "/healthz" else 404, {"status": "down", "reason": reason}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, said = answer(self.path)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Health questions are not logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
