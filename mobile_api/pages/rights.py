"""One's rights over one's data: ask about a look, take a copy, correct, withdraw and agree again, delete."""

from __future__ import annotations

from flask import Response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from backend.domain.look_questions import QUESTIONS
from backend.domain.notices import NOTICES
from backend.services import access_records, consents, erasures, look_questions, own_papers, persons, tenancies
from backend.web import LANGUAGES, language
from mobile_api.pages.doors import account, account_id, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.words import relation_options
from mobile_api.papers import pdf_answer

Page = str | AnyResponse | tuple[str, int]


@account.route("/access/<record_id>/ask", methods=["GET", "POST"])
def ask_about_look(record_id: str) -> Page:
    """Ask about one look; the answer comes as a message and stands beside the look."""
    look = access_records.find_access_record(world(), account_id=account_id(), record_id=record_id)
    sheet = Sheet.of_request({"question": _("您想问什么")})
    if request.method == "POST":
        with sheet.filling():
            question = sheet.choice("question", QUESTIONS)
            sheet.check()
            look_questions.ask_about_look(world(), account_id=account_id(), record_id=record_id, question=question)
            return redirect(url_for("account.access", said="asked", _anchor=f"look-{record_id}"), 303)
    options = relation_options(QUESTIONS)
    return render_template("account/ask.html", look=look, sheet=sheet, options=options), sheet.status


@account.get("/data")
def rights() -> str:
    """All one can do with one's data, each a tap away."""
    given = consents.list_consents(world(), account_id=account_id())
    return render_template(
        "account/rights.html",
        identity=persons.my_identity(world(), account_id=account_id()),
        homes=tenancies.my_tenancies(world(), account_id=account_id()),
        consents=[one for one in given if one.given and one.withdrawn_at is None and one.purpose in NOTICES],
        texts=NOTICES,
        erasure=erasures.get_erasure(world(), account_id=account_id()),
    )


@account.get("/export.pdf")
def export_pdf() -> Response:
    """One's own data on paper, in the language of the page or of ?lang=."""
    wish = request.args.get("lang", "")
    spoken = wish if wish in LANGUAGES else language()
    return pdf_answer(own_papers.print_my_data_pdf(world(), account_id=account_id(), language=spoken))


@account.post("/consents/<purpose>/again")
def give_consent_again(purpose: str) -> AnyResponse:
    """Undo a withdrawal: agree anew to the present text."""
    version = request.form.get("version", "")
    consents.answer_consent(world(), account_id=account_id(), purpose=purpose, version=version, given=True)
    return redirect(url_for("account.list_consents", said="again"), 303)


@account.route("/delete", methods=["GET", "POST"])
def erasure() -> Page:
    """What deleting means and what the law keeps; asked once, taken back until it takes effect."""
    sheet = Sheet.of_request({})
    if request.method == "POST":
        with sheet.filling():
            erasures.ask_erasure(world(), account_id=account_id())
            return redirect(url_for("account.erasure", said="asked"), 303)
    found = erasures.get_erasure(world(), account_id=account_id())
    said = request.args.get("said")
    return render_template("account/erasure.html", erasure=found, sheet=sheet, said=said), sheet.status


@account.post("/delete/undo")
def withdraw_erasure() -> AnyResponse:
    """Take the request back."""
    erasures.withdraw_erasure(world(), account_id=account_id())
    return redirect(url_for("account.erasure", said="withdrawn"), 303)
