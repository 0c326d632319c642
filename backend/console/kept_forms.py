"""What was typed is not lost when the screen was locked or the task was over: it waits, sealed, for the next page."""

from __future__ import annotations

from flask import current_app, redirect, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.wrappers import Response

from backend.console.pages import by_script, here, holder, world
from backend.domain.ids import is_id
from backend.services.kept_forms import keep_form, open_kept_form

NEVER_KEPT = ("csrf_token", "password", "again", "code", "first_code", "credential", "kept", "next")
NOT_FROM = ("screen", "sign_in", "first_sign_in", "own", "tasks")  # nothing is written there, or secrets are
LONG = 20  # what is shown before it is sent again: words, not choices


def keep_sent() -> str | None:
    """The form of this request, sealed; None when a script sent it, or it was no page of ours, or with a file."""
    blueprint = (request.endpoint or "").partition(".")[0]
    if request.method != "POST" or by_script() or blueprint in NOT_FROM or any(request.files.values()):
        return None
    if not _is_ours():
        return None
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_KEPT]
    if not any(value.strip() for _, value in fields):
        return None
    path = request.full_path.rstrip("?")
    return keep_form(world(), session_id=holder().session_id, path=path, back=here(), fields=fields)


def to_kept_form() -> Response:
    """On to the kept form of this request, which the browser sends once more there: as who it is from now on."""
    return redirect(url_for("screen.resume"), 307)


def resume_page(kept: str) -> str:
    """The kept form, to be sent after all or left. Raises Refused form.gone."""
    form = open_kept_form(world(), session_id=holder().session_id, kept=kept)
    written = [value for _, value in form.fields if len(value) >= LONG and not is_id(value)]
    return render_template("resume.html", kept=form, written=written)


def _is_ours() -> bool:
    """Whether the form came from a page of this session: the door answers before the CSRF check does."""
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return True
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:  # the form library's ValidationError is one
        return False
    return True
