"""Tenant: the separate face consent, the check with the camera, its outcome.

Pictures pass through this module in memory only; nothing here writes one anywhere.
"""

from __future__ import annotations

from typing import Any

from flask import jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.domain.faces import FACE_REASONS
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.domain.whole_numbers import read_whole
from backend.services import consents, identity_checks, persons, tenancies
from backend.services.identity_checks import LEAST_FRAMES, Frame
from backend.web import STATUS
from mobile_api.pages.doors import account_id, session_id, tenant, world

NOT_NOW = ("face.busy", "face.unavailable", "rate")  # of a look alone: nobody has to wait for it


@tenant.route("/homes/<registration_id>/face", methods=["GET", "POST"])
def face_consent(registration_id: str) -> str | Response:
    """A page of its own: yes and no weigh the same, and no leads to the other ways."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    if persons.my_identity(world(), account_id=account_id()) is None:
        return redirect(url_for("tenant.identity", registration_id=registration_id), 303)
    if not progress.face_allowed or not progress.face_available:
        return redirect(url_for("tenant.other_ways", registration_id=registration_id), 303)
    if request.method == "POST":
        given = request.form.get("answer") == "yes"
        consents.answer_consent(world(), account_id=account_id(), purpose="face_check",
                                version=request.form.get("version", ""), given=given)
        otherwise = "tenant.new_phone" if _rebinding() else "tenant.other_ways"
        following = "tenant.face_check" if given else otherwise
        return redirect(url_for(following, registration_id=registration_id, **_rebinding()), 303)
    return render_template("tenant/face_consent.html", home=mine, text=NOTICES["face_check"], progress=progress,
                           rebinding=_rebinding())


@tenant.get("/homes/<registration_id>/face/check")
def face_check(registration_id: str) -> str | Response:
    """Document picture, then the live burst; the camera is asked for only after tapping."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    progress = identity_checks.identity_progress(world(), account_id=account_id())
    identity = persons.my_identity(world(), account_id=account_id())
    if identity is None:
        return redirect(url_for("tenant.identity", registration_id=registration_id), 303)
    if progress.consent is not True:
        return redirect(url_for("tenant.face_consent", registration_id=registration_id, **_rebinding()), 303)
    if progress.state == "verified" and not _rebinding():
        return redirect(url_for("tenant.tenancy", registration_id=registration_id), 303)
    return render_template("tenant/face_check.html", home=mine, progress=progress, identity=identity,
                           rebinding=_rebinding())


@tenant.post("/face/document")
def look_at_document() -> tuple[str, int]:
    """Judge the document's picture alone, and answer with what to say under it (for face_check.js)."""
    document = request.files.get("document")
    if document is None:
        raise Refused("input.missing", "document")
    try:
        look = identity_checks.look_at_document(world(), account_id=account_id(), document=document.read())
    except Refused as refused:
        said = "later" if refused.refusal.code in NOT_NOW else "refused"
        shown = render_template("tenant/_document_look.html", said=said, refusal=refused.refusal)
        return shown, STATUS[refused.refusal.reason.kind]
    said = "usable" if look.usable else "faults"
    return render_template("tenant/_document_look.html", said=said, reasons=look.reasons), 200


@tenant.post("/face/challenge")
def start_challenge() -> Response:
    """Choose the movements for this session, person and document picture (JSON, for face_check.js)."""
    challenge = identity_checks.start_challenge(
        world(), account_id=account_id(), session_id=session_id(),
        document_sha256=request.form.get("document_sha256", ""))
    seconds = (challenge.expires_at - world().clock.now()).total_seconds()
    return jsonify(id=challenge.id, nonce=challenge.nonce, actions=challenge.actions, seconds=max(0, int(seconds)))


@tenant.post("/homes/<registration_id>/face/check")
def check_face(registration_id: str) -> tuple[str, int]:
    """Compare, and answer with the outcome as a piece of the page (for face_check.js)."""
    mine = tenancies.get_tenancy(world(), account_id=account_id(), registration_id=registration_id)
    shown: dict[str, Any] = {"home": mine, "outcome": None, "refusal": None, "rebinding": _rebinding()}
    try:
        document, frames = _pictures()
        outcome = identity_checks.check_face(
            world(), account_id=account_id(), session_id=session_id(),
            challenge_id=request.form.get("challenge_id", ""), nonce=request.form.get("nonce", ""),
            document=document, frames=frames)
    except Refused as refused:
        status = STATUS[refused.refusal.reason.kind]
        return render_template("tenant/_outcome.html", **{**shown, "refusal": refused.refusal}), status
    at_fault = {FACE_REASONS[reason.code].subject for reason in outcome.reasons}
    shown |= {"outcome": outcome, "document_first": "document" in at_fault}
    return render_template("tenant/_outcome.html", **shown), 200


def _rebinding() -> dict[str, Any]:
    """Part of the addresses of a check that is made for a new phone, also by someone identified long ago."""
    return {"rebind": 1} if "rebind" in request.args else {}


LATEST_FRAME_MS = 999_999  # no burst lasts a quarter of an hour


def _pictures() -> tuple[bytes, list[Frame]]:
    document = request.files.get("document")
    files = request.files.getlist("frames")
    times = [read_whole(at, LATEST_FRAME_MS) for at in request.form.getlist("at_ms")]
    if document is None:
        raise Refused("input.missing", "document")
    read = [at for at in times if at is not None]
    if len(files) != len(times) or len(read) < len(times) or len(files) < LEAST_FRAMES:
        raise Refused("input.malformed", "frames")
    return document.read(), [Frame(file.read(), at) for file, at in zip(files, read, strict=True)]
