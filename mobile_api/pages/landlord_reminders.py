"""Landlord: all to-dos, and reminding those tenants who are late to declare, many at once."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.landlord_board import page_of_todos
from backend.services import landlord_reminders, unit_board
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.forms import Sheet

PAGE_TODOS = 50


@landlord.get("/todos")
def todos() -> str:
    """What is to be done, by its last day; each leads to where it is done."""
    found = unit_board.list_todos(world(), account_id=account_id())
    page, more = page_of_todos(found, request.args.get("after"), PAGE_TODOS)
    late = landlord_reminders.list_late_tenants(world(), account_id=account_id())
    return render_template("landlord/todos.html", todos=page, total=len(found), more=more, late=len(late))


@landlord.route("/reminders", methods=["GET", "POST"])
def reminders() -> str | Response | tuple[str, int]:
    """Choose among the tenants who are late, look at the choice once more, send, see the result."""
    every = landlord_reminders.list_late_tenants(world(), account_id=account_id())
    late = every[: landlord_reminders.MOST_AT_ONCE]
    sheet = Sheet.of_request({"lease_ids": _("租客")})
    chosen = request.form.getlist("lease_ids")
    is_checking = False
    if request.method == "POST":
        with sheet.filling():
            if not chosen:
                sheet.text("lease_ids")
                sheet.check()
            is_checking = sheet.value("go") == "check"
            if sheet.value("go") == "send":
                made = landlord_reminders.remind_tenants(
                    world(), account_id=account_id(), lease_ids=chosen, idempotency_key=sheet.once
                )
                return redirect(url_for("landlord.reminders", told=made.told, before=made.told_before), 303)
    done = {name: request.args.get(name, type=int) for name in ("told", "before")}
    return render_template(
        "landlord/reminders.html", late=late, more=len(every) - len(late), sheet=sheet, chosen=set(chosen), done=done,
        is_checking=is_checking,
    ), sheet.status
