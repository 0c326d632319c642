"""Where deliveries arrive, and the switches: strict about who sent what, indifferent to how often it comes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request

from backend.subscribers.directory import OFFICES
from backend.subscribers.faults import FAULTS, Faults, UnknownFault
from backend.subscribers.reporting import Reporter
from backend.subscribers.store import Store
from backend.wire.cloud_events import (
    BATCH_CONTENT_TYPE,
    CONTENT_TYPE,
    CloudEvent,
    decode_event,
    decode_events,
    source_of,
)
from backend.wire.codec import MessageRejected
from backend.wire.jwk import PublicKeys, keys_from_jwks
from backend.wire.office_calls import SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER, verify_call
from backend.wire.tokens import TokenRejected

hooks = Blueprint("hooks", __name__)
sim = Blueprint("sim", __name__, url_prefix="/_sim")


class Problem(Exception):
    """A call is refused with a status and one word."""

    def __init__(self, status: int, code: str, retry_after: int | None = None) -> None:
        super().__init__(code)
        self.status, self.code, self.retry_after = status, code, retry_after


class PlatformKeys:
    """The keys of the platform, from the JWKS file it publishes; an unknown key makes the file be read again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: PublicKeys = {}

    def verify(self, office: str, now: datetime) -> None:
        """Raise TokenRejected unless the platform signed exactly this call for this office, minutes ago at most."""
        call = {
            "subscriber": office, "method": request.method, "target": request.path, "body": request.get_data(),
            "time_text": request.headers.get(TIME_HEADER, ""), "now": now,
            "signature": request.headers.get(SIGNATURE_HEADER, ""),
        }  # fmt: skip
        try:
            verify_call(**call, keys=self._keys)  # type: ignore[arg-type]
        except TokenRejected as rejected:
            if rejected.reason != "unknown_key":
                raise
            try:
                self._keys = keys_from_jwks(json.loads(self._path.read_text()))
            except (OSError, ValueError):
                raise rejected from None
            verify_call(**call, keys=self._keys)  # type: ignore[arg-type]


def faults() -> Faults:
    """The switches of this app."""
    return cast(Faults, current_app.extensions["subscriber_faults"])


def store() -> Store:
    """What the offices hold."""
    return cast(Store, current_app.extensions["subscriber_store"])


def reporter() -> Reporter:
    """The way back."""
    return cast(Reporter, current_app.extensions["subscriber_reporter"])


def now() -> datetime:
    """The time by the offices' clock."""
    return cast(Callable[[], datetime], current_app.extensions["subscriber_clock"])()


@hooks.post("/hooks/<office>")
def deliver(office: str) -> tuple[str, int]:
    """Take a delivery: verified, deduplicated, committed, then answered."""
    if office not in OFFICES or not OFFICES[office].hears or request.query_string:
        raise Problem(404, "office")
    _fail_before(office)
    wrong = faults().take("clock", office)
    at = now() + timedelta(seconds=float(wrong.get("seconds", 600)) if wrong else 0)
    if request.headers.get(SUBSCRIBER_HEADER) != office:
        raise Problem(401, "subscriber")
    try:
        cast(PlatformKeys, current_app.extensions["subscriber_keys"]).verify(office, at)
    except TokenRejected as rejected:
        raise Problem(401, rejected.reason) from None
    for event in store().take(office, _read(office), now()):
        reporter().heard(office, event)
    if faults().take("lost_answer", office) is not None:
        raise Problem(502, "lost")
    return "", 204


def _fail_before(office: str) -> None:
    slow = faults().take("slow", office)
    if slow is not None:
        current_app.extensions["subscriber_sleep"](float(slow.get("seconds", 5)))
    for name, status in (("down", 503), ("http_500", 500), ("gone", 410), ("refuse", 422)):
        if faults().take(name, office) is not None:
            raise Problem(status, name)
    busy = faults().take("busy", office)
    if busy is not None:
        raise Problem(429, "busy", int(busy.get("seconds", 5)))


def _read(office: str) -> tuple[CloudEvent, ...]:
    """The events of the body, all of them this office's own."""
    body = request.get_data()
    try:
        if request.mimetype == CONTENT_TYPE:
            events: tuple[CloudEvent, ...] = (decode_event(body),)
        elif request.mimetype == BATCH_CONTENT_TYPE:
            events = decode_events(body)
        else:
            raise Problem(415, "content_type")
    except MessageRejected as rejected:
        raise Problem(422, rejected.member or rejected.reason) from None
    if any(event.source != source_of(office) for event in events):
        raise Problem(422, "source")
    return events


@sim.get("/faults")
def list_faults() -> Response:
    """What can fail and what does."""
    return jsonify({"known": dict(FAULTS), "on": faults().all()})


@sim.put("/faults/<name>")
def switch_on(name: str) -> Response:
    """Let a failure show; the JSON body holds its parameters and perhaps `times` and `office`."""
    # a page of another site cannot send this type without being asked first, so it cannot switch anything
    body: Any = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Problem(415, "body")
    if body.get("office", "housing-authority") not in OFFICES:
        raise Problem(422, "office")
    try:
        faults().switch_on(name, body)
    except UnknownFault as unknown:
        raise Problem(422, str(unknown)) from None
    return jsonify({"on": faults().all()})


@sim.delete("/faults")
@sim.delete("/faults/<name>")
def switch_off(name: str | None = None) -> Response:
    """Let one failure, or all, show no more."""
    faults().switch_off(name)
    return jsonify({"on": faults().all()})
