"""What other offices have reported about oneself: one list, two buttons."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.services import reported_answers
from mobile_api.pages.doors import account, account_id, world


@account.get("/reported")
def list_reported() -> str:
    """The changes, newest first; those that wait for an answer have their buttons."""
    changes = reported_answers.list_reported(world(), account_id=account_id())
    return render_template("account/reported.html", changes=changes, said=request.args.get("said"))


@account.post("/reported/<change_id>")
def answer_reported(change_id: str) -> Response:
    """Confirm, or object: then a person decides."""
    accept = request.form.get("accept") == "yes"
    reported_answers.answer_reported(world(), account_id=account_id(), change_id=change_id, accept=accept)
    return redirect(url_for("account.list_reported", said="confirmed" if accept else "objected"), 303)


def count_waiting() -> int:
    """How many wait for an answer of the signed-in account."""
    return len(reported_answers.list_reported(world(), account_id=account_id(), waiting=True))
