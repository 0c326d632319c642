"""/_sim: the stand-in's own switches, which no real registry has. Open only where RegistrySettings.switches says so."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from backend.registry.calls import registry
from backend.registry.code_tables import CodeRefused, put_code
from backend.registry.corrections import CorrectionRefused, UnknownRecord, correct_record, note_read
from backend.registry.faults import FAULTS, UnknownFault
from backend.registry.people import add_person
from backend.registry.problems import Problem, render
from backend.wire.registry_codes import item_error
from backend.wire.registry_messages import read_object

OFFICE, BADGE = "省登记中心", "SIM-0001"  # whose hand a correction by a switch is
blueprint = Blueprint("sim", __name__, url_prefix="/_sim")


@blueprint.get("/faults")
def list_faults() -> Response:
    """What can fail and what does."""
    known = {name: fault.en for name, fault in FAULTS.items()}
    params = {name: fault.usage() for name, fault in FAULTS.items()}
    return jsonify({"known": known, "params": params, "on": registry().faults.all()})


@blueprint.put("/faults/<name>")
def switch_on(name: str) -> Response:
    """Let a failure show; the JSON body holds its parameters and perhaps `times`."""
    registry().faults.switch_on(name, _body())
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


@blueprint.put("/codes/<table>/<code>")
def change_code(table: str, code: str) -> Response:
    """Bring a new edition of one code: {zh, en, valid_from, valid_until}; what is left out stays as it was."""
    try:
        with registry().database.writing() as connection:
            version = put_code(connection, table, code, _body())
    except CodeRefused as refused:
        raise Problem(422, item_error("2003", f"/{refused}")) from None
    return jsonify({"table": table, "version": version})


@blueprint.post("/records/<record_id>/corrections")
def correct(record_id: str) -> Response:
    """Correct fields of a record at the registry; the sender hears of it through its changes."""
    revision = correct_record(registry(), record_id, _body(), office=OFFICE, badge=BADGE)
    return jsonify({"revision": revision})


@blueprint.post("/records/<record_id>/reads")
def read_record(record_id: str) -> Response:
    """Note that someone at the registry read a record: {office, badge, purpose}."""
    office, badge, purpose = _texts(_body(), "office", "badge", "purpose")
    note_read(registry(), record_id, office, badge, purpose)
    return jsonify({})


@blueprint.errorhandler(UnknownFault)
def _unknown_fault(unknown: UnknownFault) -> tuple[Response, int]:
    return jsonify({"error": str(unknown)}), 422


@blueprint.errorhandler(UnknownRecord)
def _unknown_record(_unknown: UnknownRecord) -> Response:
    return render(Problem(404, item_error("4004", "/record_id")))


@blueprint.errorhandler(CorrectionRefused)
def _correction_refused(refused: CorrectionRefused) -> Response:
    return render(Problem(422, *refused.errors))


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
