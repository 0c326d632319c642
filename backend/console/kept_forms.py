"""What was typed is not lost when the screen was locked or the task was over: it waits, sealed, for the next page.

It is not sent from there. The page it was written on is opened again with everything in its place, so that whoever goes
on sees what it is and to what it belongs.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response as Page
from flask import current_app, redirect, render_template, request, url_for
from flask_wtf.csrf import validate_csrf
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from backend.console.pages import Form, by_script, here, holder, safe_next, world
from backend.filled_forms import as_asked, fill_form, words_in
from backend.services.kept_forms import keep_form, open_kept_form
from backend.web import caller, decide_call, load_policy

NEVER_KEPT = ("csrf_token", "from_page", "password", "again", "code", "first_code", "credential", "kept", "next")
NOT_FROM = ("screen", "sign_in", "first_sign_in", "own", "tasks")  # nothing is written there, or secrets are


def keep_sent() -> str | None:
    """The form of this request, sealed; None when there was none, or it cannot be kept (`was_lost`)."""
    fields = _fields()
    if not fields:
        return None
    path = request.full_path.rstrip("?")
    back = safe_next(request.form.get("from_page")) if "from_page" in request.form else here()
    return keep_form(world(), session_id=holder().session_id, path=path, back=back, fields=fields)


def was_lost() -> bool:
    """Whether something was sent in this request that `keep_sent` cannot keep: too much, or nothing but files."""
    if not _is_written():
        return False
    return keep_sent() is None if _fields() else any(request.files.values())


def page_of_form() -> str:
    """The address of the page a form stands on: each form says it, and a page that answers a form hands it on."""
    return safe_next(request.form.get("from_page")) if "from_page" in request.form else here()


def to_kept_form() -> Response:
    """On to the kept form of this request, which the browser sends once more there: as who it is from now on."""
    return redirect(url_for("screen.resume"), 307)


def resume_page(kept: str) -> str:
    """The page of a kept form with the form filled as it was sent. Raises Refused form.gone.

    Where the page asks for a purpose first, that is asked; where the form is no more, what was written is shown.
    """
    form = open_kept_form(world(), session_id=holder().session_id, kept=kept)
    if _asks_purpose(form.back):
        return render_template("task.html", form=Form(), next=form.back, asked=True, kept=kept)
    page = Page.from_app(current_app.wsgi_app, as_asked(request.environ, form.back))
    filled = None
    if page.status_code == 200 and page.mimetype == "text/html":
        filled = fill_form(page.get_data(as_text=True), address=form.back, path=form.path, fields=form.fields)
    if filled is None:
        return render_template("resume.html", kept=form, written=words_in([value for _, value in form.fields]))
    note = render_template("parts/kept.html", written=words_in(filled.left), has_file=filled.has_file, back=form.back)
    return filled.page[: filled.form_at] + note + filled.page[filled.form_at :]


def _is_written() -> bool:
    """Whether this request is a person's form from a page of this session on which something is written."""
    blueprint = (request.endpoint or "").partition(".")[0]
    return request.method == "POST" and not by_script() and blueprint not in NOT_FROM and _is_ours()


def _fields() -> list[tuple[str, str]]:
    """What was written; nothing when all is blank. A file is not among it: the page asks for it anew."""
    if not _is_written():
        return []
    fields = [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_KEPT]
    return fields if any(value.strip() for _, value in fields) else []


def _asks_purpose(address: str) -> bool:
    try:
        endpoint, _ = current_app.create_url_adapter(request).match(urlsplit(address).path, method="GET")  # type: ignore[union-attr]
    except HTTPException:
        return False
    refusal = decide_call(load_policy()[f"console.{endpoint}", "GET"], caller())
    return refusal is not None and refusal.code == "purpose.missing"


def _is_ours() -> bool:
    """Whether the form came from a page of this session: the door answers before the CSRF check does."""
    if not current_app.config.get("WTF_CSRF_ENABLED", True):
        return True
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:  # the form library's ValidationError is one
        return False
    return True
