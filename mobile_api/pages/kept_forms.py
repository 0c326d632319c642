"""What was typed is not lost when the sign-in was over before it was sent, or the language is changed in between.

It is not sent from there: its page is opened again with everything in its place. A form of an ended sign-in waits
sealed, through the next one, for its own account alone; nothing of it is kept here. Pictures, codes and keys are never
carried.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from flask import Response as Page
from flask import current_app, render_template, request
from flask_wtf.csrf import validate_csrf

from backend.domain.refusals import Refused
from backend.filled_forms import as_asked, fill_form, words_in
from backend.services.kept_forms import KeptForm, keep_form_of_account, open_form_of_account
from mobile_api.pages.doors import (
    SHOWN_AGAIN,
    account_id,
    endpoint_of,
    front,
    here,
    over,
    safe_path,
    wants_json,
    world,
)

NEVER_KEPT = ("csrf_token", "next", "kept", "code", "phone_jwk", "credential", "delegate", "nonce", "challenge_id")
NOT_FROM = ("front", "demo")  # nothing of a sign-in is written there
WITH_PICTURES = ("tenant.check_face", "tenant.look_at_document")
STEPS = ("landlord.new_lease", "tenant.move_out")  # a later step has no address of its own: its form is shown again


def keep_sent() -> str | None:
    """The form of this request, sealed for the account whose sign-in is over; None when there is nothing to keep."""
    found, fields = over(), _fields()
    if found is None or not fields:
        return None
    path = request.full_path.removesuffix("?")
    return keep_form_of_account(world(), account_id=found.account_id, path=path, back=here(), fields=fields)


def was_lost() -> bool:
    """Whether something was written in this request that `keep_sent` does not keep."""
    return _is_written() and any(value.strip() for _, value in _sent()) and keep_sent() is None


@front.post("/form")
def show_form() -> str:
    """Show a form again as it was written: after the next sign-in, or in the language just chosen."""
    if "kept" in request.form:
        return shown_page(open_form_of_account(world(), account_id=account_id(), kept=request.form["kept"]))
    return shown_page(KeptForm(safe_path(request.form.get("path")), here(), _carried()))


def shown_page(form: KeptForm) -> str:
    """The page of a form with the form filled; where it is no more, what was written is shown."""
    asked = as_asked(request.environ, form.back)
    if endpoint_of(urlsplit(form.path).path, "POST") in STEPS:
        token = ("csrf_token", request.form.get("csrf_token", ""))
        asked = {**as_asked(request.environ, form.path, (*form.fields, token)), SHOWN_AGAIN: "yes"}
    page = Page.from_app(current_app.wsgi_app, asked)
    filled = None
    if page.status_code == 200 and page.mimetype == "text/html":
        address = form.path if SHOWN_AGAIN in asked else form.back
        filled = fill_form(page.get_data(as_text=True), address=address, path=form.path, fields=form.fields)
    if filled is None:
        return render_template("front/form_gone.html", kept=form, written=words_in(value for _, value in form.fields))
    note = render_template("front/_kept.html", written=words_in(filled.left), has_file=filled.has_file, back=form.back)
    return filled.page[: filled.form_at] + note + filled.page[filled.form_at :]


def _is_written() -> bool:
    """Whether this request is a person's form from a page of this browser."""
    endpoint = request.endpoint or ""
    is_form = request.method == "POST" and not wants_json() and endpoint not in WITH_PICTURES
    return is_form and endpoint.partition(".")[0] not in NOT_FROM and _is_ours()


def _sent() -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.form.items(multi=True) if name not in NEVER_KEPT]


def _fields() -> list[tuple[str, str]]:
    """What was written; nothing when there is no more than the page's own marks. A file is not among it."""
    if not _is_written():
        return []
    fields = _sent()
    return fields if any(value.strip() for name, value in fields if name != "once") else []


def _carried() -> tuple[tuple[str, str], ...]:
    """The fields that the page's script sent beside the chosen language. Raises Refused input.malformed."""
    try:
        said = json.loads(request.form.get("filled", ""))
        fields = [(str(name), str(value)) for name, value in said]
    except (ValueError, TypeError):
        raise Refused("input.malformed") from None
    return tuple((name, value) for name, value in fields if name not in NEVER_KEPT)


def _is_ours() -> bool:
    """Whether the form came from a page of this browser: the door answers before the CSRF check does."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValueError:  # the form library's ValidationError is one
        return False
    return True
