"""Landlord: import the list of tenancies one keeps already. Upload, look, start, stop; the worker does the rows."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from backend.domain.refusals import Refusal
from backend.domain.whole_numbers import read_whole
from backend.services import import_templates, own_imports
from mobile_api.pages.doors import account_id, landlord, world
from mobile_api.pages.forms import Sheet
from mobile_api.pages.live import live

ROWS_PER_PAGE = 50
TO_LOOK_AT = ("failed", "kept")


@landlord.route("/import", methods=["GET", "POST"])
def imports() -> str | Response | tuple[str, int]:
    """Upload a list; below it the imports so far."""
    sheet = Sheet.of_request({"file": _("文件")})
    if request.method == "POST":
        with sheet.filling():
            sent = request.files.get("file")
            if sent is None or not sent.filename:
                sheet.faults.append(Refusal("input.missing", "file"))
                sheet.check()
            else:
                content = sent.stream.read(own_imports.LIMITS.bytes + 1)
                view = own_imports.upload_leases(
                    world(), account_id=account_id(), name=sent.filename, content=content, idempotency_key=sheet.once
                )
                return redirect(url_for("landlord.import_page", import_id=view.id), 303)
    mine = own_imports.list_imports(world(), account_id=account_id())
    return render_template("landlord/imports.html", sheet=sheet, imports=mine, limits=own_imports.LIMITS), sheet.status


@landlord.get("/import/template-<word:spoken>.<word:ending>")
def import_template(spoken: str, ending: str) -> Response:
    """The list to fill in, with an invented row."""
    content, kind = import_templates.make_lease_template(spoken, ending)
    name = request.path.rpartition("/")[2]
    return Response(content, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="anju-{name}"'})


@landlord.get("/import/<id:import_id>")
@live("import", "import_id", every_ms=1000)
def import_page(import_id: str) -> str:
    """One import: what each row would do, or has done."""
    found = own_imports.get_import(world(), account_id=account_id(), import_id=import_id)
    show = "all" if request.args.get("show") == "all" or not _to_look_at(found) else "look"
    after = request.args.get("after", "0")
    page = own_imports.list_import_rows(
        world(),
        account_id=account_id(),
        import_id=import_id,
        after=read_whole(after) or 0,
        limit=ROWS_PER_PAGE,
        outcomes=() if show == "all" else TO_LOOK_AT,
    )
    return render_template(
        "landlord/import.html",
        found=found,
        page=page,
        show=show,
        sheet=Sheet.of_request({}),
        to_look_at=_to_look_at(found),
    )


def _to_look_at(found: own_imports.ImportView) -> int:
    return sum(found.counts[outcome] for outcome in TO_LOOK_AT)


@landlord.post("/import/<id:import_id>/start")
def start_import(import_id: str) -> Response:
    """Have the rows done, or go on where it was stopped."""
    own_imports.start_import(
        world(), account_id=account_id(), import_id=import_id,
        send_invitations=request.form.get("send_invitations") == "yes",
    )  # fmt: skip
    return redirect(url_for("landlord.import_page", import_id=import_id), 303)


@landlord.post("/import/<id:import_id>/stop")
def stop_import(import_id: str) -> Response:
    """Take it back before the start, or stop it."""
    own_imports.stop_import(world(), account_id=account_id(), import_id=import_id)
    return redirect(url_for("landlord.import_page", import_id=import_id), 303)
