"""/_sim: the stand-in's own switches, which no real registry has. Open only where RegistrySettings.switches says so."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from backend.registry.calls import registry
from backend.registry.faults import FAULTS, UnknownFault
from backend.registry.holdings import UnknownRecord, correct_record, note_read
from backend.registry.people import add_person
from backend.registry.problems import Problem
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import read_object
from backend.wire.registry_payload import FIELDS

blueprint = Blueprint("sim", __name__, url_prefix="/_sim")


@blueprint.get("/faults")
def list_faults() -> Response:
    """What can fail and what does."""
    return jsonify({"known": dict(FAULTS), "on": registry().faults.all()})


@blueprint.put("/faults/<name>")
def switch_on(name: str) -> Response:
    """Let a failure show; the JSON body holds its parameters and perhaps `times`."""
    try:
        registry().faults.switch_on(name, _body())
    except UnknownFault as unknown:
        raise Problem(422, item_error("1102", f"/{unknown}")) from None
    return jsonify({"on": registry().faults.all()})


@blueprint.delete("/faults")
@blueprint.delete("/faults/<name>")
def switch_off(name: str | None = None) -> Response:
    """Let one failure, or all, show no more."""
    registry().faults.switch_off(name)
    return jsonify({"on": registry().faults.all()})


@blueprint.put("/people")
def know_person() -> Response:
    """Make the population base know a number: {id_number, name}. Made-up people only."""
    number, name = _texts(_body(), "id_number", "name")
    with registry().database.writing() as connection:
        add_person(connection, number, name)
    return jsonify({})


@blueprint.post("/records/<record_id>/corrections")
def correct(record_id: str) -> Response:
    """Correct fields of a record at the registry; the sender hears of it through its changes."""
    fields = _body()
    for name, value in fields.items():
        if name not in FIELDS or not isinstance(value, str):
            raise Problem(422, item_error("5003", f"/{name[:60]}"))
    try:
        correct_record(registry(), record_id, fields)
    except UnknownRecord:
        raise Problem(404, item_error("4004", "/record_id")) from None
    return jsonify({})


@blueprint.post("/records/<record_id>/reads")
def read_record(record_id: str) -> Response:
    """Note that someone at the registry read a record: {office, badge, purpose}."""
    office, badge, purpose = _texts(_body(), "office", "badge", "purpose")
    try:
        note_read(registry(), record_id, office, badge, purpose)
    except UnknownRecord:
        raise Problem(404, item_error("4004", "/record_id")) from None
    return jsonify({})


def _body() -> dict[str, Any]:
    # a page of another site cannot send this type without being asked first, so it cannot switch anything
    if request.mimetype != "application/json":
        raise Problem(415, item_error("1102", "/Content-Type"))
    return read_object(request.get_data())


def _texts(body: dict[str, Any], *names: str) -> list[str]:
    for name in names:
        if not isinstance(body.get(name), str) or not 1 <= len(body[name]) <= 120:
            raise Problem(422, item_error("2001", f"/{name}"))
    return [body[name] for name in names]
