"""The platform's calls under /v1 and the demo's switches under /_sim: signed in, bare results out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from flask import Blueprint, Response, current_app, jsonify, request

from backend.netid.faults import FAULTS, Faults, UnknownFault
from backend.netid.requests import RequestRefused, Requests
from backend.wire.jwk import PublicKeys, keys_from_jwks
from backend.wire.network_identity import (
    LARGEST_BODY_BYTES,
    REQUEST_HEADER,
    SIGNATURE_HEADER,
    NetworkMessageRefused,
    decode_request,
    decode_ticket,
)
from backend.wire.registry_messages import canonical_json, signing_input
from backend.wire.tokens import TokenRejected, verify_detached

v1 = Blueprint("v1", __name__, url_prefix="/v1")
sim = Blueprint("sim", __name__, url_prefix="/_sim")

STATUS = {"stale": 410, "repeated": 409, "unknown": 404}


class Problem(Exception):
    """A call is refused with a status and one word."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class Senders:
    """The keys of those who may ask, from their JWKS file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: PublicKeys = {}

    def verify(self, signature: str, signed: bytes) -> None:
        """Raise TokenRejected unless one of them signed these bytes; an unknown key makes the file be read again."""
        try:
            verify_detached(signature, signed, self._keys)
        except TokenRejected as rejected:
            if rejected.reason != "unknown_key":
                raise
            try:
                self._keys = keys_from_jwks(json.loads(self._path.read_text()))
            except (OSError, ValueError):
                raise rejected from None
            verify_detached(signature, signed, self._keys)


def requests() -> Requests:
    """The requests this app keeps."""
    return cast(Requests, current_app.extensions["netid_requests"])


def faults() -> Faults:
    """The switches of this app."""
    return cast(Faults, current_app.extensions["netid_faults"])


@v1.before_request
def only_who_signs() -> None:
    """Let a call through only when a known sender signed exactly this call with this body."""
    waiting = faults().take("slow")
    if waiting is not None:
        current_app.extensions["netid_sleep"](float(waiting.get("seconds", 10)))
    if faults().take("outage") is not None:
        raise Problem(503, "unavailable")
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise Problem(413, "too_large")
    signed = signing_input(request.method, request.path, request.headers.get(REQUEST_HEADER, ""), request.get_data())
    try:
        cast(Senders, current_app.extensions["netid_senders"]).verify(request.headers.get(SIGNATURE_HEADER, ""), signed)
    except TokenRejected:
        raise Problem(401, "signature") from None


@v1.post("/requests")
def begin() -> tuple[Response, int]:
    """Take a request and answer the page for the person."""
    try:
        begun = requests().begin(decode_request(request.get_data()))
    except NetworkMessageRefused as refused:
        raise Problem(422, refused.field or "body") from None
    except RequestRefused as refused:
        raise Problem(STATUS[refused.reason], refused.reason) from None
    return Response(begun.to_bytes(), mimetype="application/json"), 201


@v1.post("/tickets")
def redeem() -> Response:
    """Turn a ticket into its result, once."""
    try:
        shown = decode_ticket(request.get_data())
        result = requests().redeem(shown.request_id, shown.ticket)
    except NetworkMessageRefused as refused:
        raise Problem(422, refused.field or "body") from None
    except RequestRefused as refused:
        raise Problem(STATUS[refused.reason], refused.reason) from None
    for fault, instead in (("refuse", "refused"), ("expire", "expired")):
        if faults().take(fault) is not None:
            result = instead
    if faults().take("lost_answer") is not None:
        raise Problem(502, "lost")
    answer = {"result": result} if faults().take("chatty") is None else {"result": result, "name": "多余"}
    return Response(canonical_json(answer), mimetype="application/json")


@sim.get("/faults")
def list_faults() -> Response:
    """What can fail and what does."""
    return jsonify({"known": dict(FAULTS), "on": faults().all()})


@sim.put("/faults/<name>")
def switch_on(name: str) -> Response:
    """Let a failure show; the JSON body holds its parameters and perhaps `times`."""
    # a page of another site cannot send this type without being asked first, so it cannot switch anything
    body: Any = request.get_json(silent=True) if request.mimetype == "application/json" else None
    if not isinstance(body, dict):
        raise Problem(415, "body")
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
