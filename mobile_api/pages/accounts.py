"""One's own account: messages, who has seen my data, consents, export, sign-ins, language and elder mode."""

from __future__ import annotations

from datetime import date

from flask import Response, json, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from backend.domain.calendars import read_day
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.services import access_records, consents, identity_checks, inbox, own_duties, persons, sign_ins, tenancies
from mobile_api.pages.doors import account, account_id, session_id, world
from mobile_api.pages.duties import duty_lines, notice_page
from mobile_api.pages.live import live
from mobile_api.pages.tables import OTHER_WAYS

LINES = 50  # of the inbox on one page


@account.get("/")
def home() -> str:
    """Everything about oneself in one list."""
    identity = persons.my_identity(world(), account_id=account_id())
    return render_template("account/home.html", identity=identity)


@account.get("/messages")
@live("messages")
def messages() -> str:
    """What is due, each with the page where it is done; and the inbox, newest first, many alike as one line."""
    lines = inbox.list_lines(world(), account_id=account_id(), before=request.args.get("before"), limit=LINES + 1)
    is_first = not request.args.get("before")
    duties = duty_lines(own_duties.list_duties(world(), account_id=account_id())) if is_first else []
    more = lines[LINES - 1].notice.id if len(lines) > LINES else None
    return render_template("account/messages.html", lines=lines[:LINES], more=more, duties=duties, is_first=is_first)


@account.get("/messages/<word:kind>/<day>")
def messages_alike(kind: str, day: str) -> str:
    """All messages of one kind and day: what one line of the inbox stands for."""
    found = inbox.list_notices(
        world(), account_id=account_id(), kind=kind, day=_as_day(day), before=request.args.get("before"),
        limit=LINES + 1,
    )  # fmt: skip
    if not found:
        raise Refused("not_found")
    more = found[LINES - 1].id if len(found) > LINES else None
    return render_template("account/messages_alike.html", notices=found[:LINES], more=more, kind=kind, day=day)


@account.post("/messages/read")
def read_messages() -> AnyResponse:
    """Mark all messages as read, or those of one kind and day."""
    kind, day = request.form.get("kind"), request.form.get("day")
    inbox.mark_all_read(world(), account_id=account_id(), kind=kind, day=_as_day(day) if day else None)
    return redirect(url_for("account.messages"), 303)


@account.post("/messages/<notice_id>/read")
def read_message(notice_id: str) -> AnyResponse:
    """Mark one message as read, and open what it is about when asked to."""
    notice = inbox.mark_read(world(), account_id=account_id(), notice_id=notice_id)
    opens = request.form.get("go") == "open"
    return redirect(notice_page(notice) if opens else url_for("account.messages"), 303)


@account.route("/notifications", methods=["GET", "POST"])
def notifications() -> str | AnyResponse:
    """Choose what one is told of, where it is lawful to choose."""
    if request.method == "POST":
        wanted = request.form.getlist("told")
        topics = inbox.list_topics(world(), account_id=account_id())
        silenced = [topic.code for topic in topics if topic.may_be_silenced and topic.code not in wanted]
        inbox.silence_topics(world(), account_id=account_id(), topics=silenced)
        return redirect(url_for("account.notifications", said="kept"), 303)
    topics = inbox.list_topics(world(), account_id=account_id())
    return render_template("account/notifications.html", topics=topics, said=request.args.get("said"))


def _as_day(text: str) -> date:
    """Raises Refused not_found for what is no day."""
    found = read_day(text)
    if found is None:
        raise Refused("not_found")
    return found


@account.get("/access")
@live("access", every_ms=2000)
def access() -> str:
    """谁看过我的数据: time, office and role, what, purpose, case."""
    before, said = request.args.get("before"), request.args.get("said")
    page = access_records.my_access_records(world(), account_id=account_id(), before=before)
    return render_template("account/access.html", page=page, said=said)


@account.get("/consents")
def list_consents() -> str:
    """What was agreed to, when, in which version; each can be withdrawn."""
    given = consents.list_consents(world(), account_id=account_id())
    newest = {one.purpose: one.id for one in reversed(given)}.values()
    said = request.args.get("said")
    return render_template("account/consents.html", consents=given, newest=set(newest), texts=NOTICES, said=said)


@account.route("/consents/<purpose>/withdraw", methods=["GET", "POST"])
def withdraw_consent(purpose: str) -> str | AnyResponse:
    """Say the effect, then withdraw."""
    if purpose not in NOTICES:
        raise Refused("not_found")
    if request.method == "POST":
        consents.withdraw_consent(world(), account_id=account_id(), purpose=purpose)
        return redirect(url_for("account.list_consents", said="withdrawn"), 303)
    homes = tenancies.my_tenancies(world(), account_id=account_id())
    waiting = next((one.registration_id for one in homes if _waits_for_identity(one)), None)
    there = identity_checks.identity_progress(world(), account_id=account_id()).network_identity_available
    ways = [way for way in OTHER_WAYS if there or way != "network_identity"]
    return render_template("account/withdraw.html", text=NOTICES[purpose], ways=ways, waiting_home=waiting)


def _waits_for_identity(home: tenancies.TenancyView) -> bool:
    return any(task.kind == "face" and task.state == "next" for task in home.tasks)


@account.get("/export")
def export() -> Response:
    """One's own data as a JSON file."""
    data = access_records.export_my_data(world(), account_id=account_id())
    answer = Response(json.dumps(data, ensure_ascii=False, indent=2, default=str), mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="anju-my-data.json"'
    return answer


@account.get("/sign-ins")
def list_sign_ins() -> str:
    """Where one is signed in."""
    rows = sign_ins.list_sessions(world(), account_id=account_id())
    return render_template("account/sign_ins.html", rows=rows, present=session_id())


@account.post("/sign-ins/<other_id>/end")
def end_sign_in(other_id: str) -> AnyResponse:
    """End another phone's or browser's sign-in."""
    sign_ins.sign_out(world(), account_id=account_id(), session_id=other_id)
    return redirect(url_for("account.list_sign_ins"), 303)
