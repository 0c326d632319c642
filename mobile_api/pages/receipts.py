"""Receipts: the tenant's and the landlord's, on the phone and on paper; the public check; drawing QR codes."""

from __future__ import annotations

import segno
from flask import Response, jsonify, render_template, request, send_from_directory, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from backend.services import receipt_checks, receipts
from backend.web import LANGUAGES, language
from mobile_api.pages.doors import STATIC, account_id, front, landlord, tenant, world
from mobile_api.pages.forms import Sheet
from mobile_api.papers import pdf_answer


@front.route("/r/", methods=["GET", "POST"])
def check_receipt() -> str | tuple[str, int]:
    """Anyone checks a receipt, in the browser or, without JavaScript, here: what the registry signed, never a name."""
    sheet = Sheet.of_request({"text": _("凭证文字")})
    found = None
    with sheet.filling():
        if "text" in sheet.values:
            text = sheet.text("text")
            sheet.check()
            found = receipt_checks.check_receipt(world(), text=text)
    keys = receipt_checks.published_keys(world())["keys"]
    return render_template("front/check_receipt.html", sheet=sheet, found=found, keys=keys), sheet.status


@front.get("/r/keys.json")
def receipt_keys() -> Response:
    """The registry's published keys (JWK set) with their fingerprints."""
    answer = jsonify(receipt_checks.published_keys(world()))
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@front.get("/r/worker.js")
def receipt_worker() -> Response:
    """The service worker of the public check; here, since it may serve only what lies below its own address."""
    answer = send_from_directory(STATIC, "receipt_worker.js")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@tenant.get("/homes/<registration_id>/receipt")
def receipt(registration_id: str) -> str:
    """The receipt (登记凭证), printable; its QR code verifies without a network."""
    return _of_tenant(registration_id, "declaration", "tenant.receipt_pdf")


@tenant.get("/homes/<registration_id>/receipt.pdf")
def receipt_pdf(registration_id: str) -> Response:
    """The same as a file, in the language of the page or of ?lang=."""
    return _pdf_of_tenant(registration_id, "declaration")


@tenant.get("/homes/<registration_id>/check-out-receipt")
def check_out_receipt(registration_id: str) -> str:
    """The receipt of the check-out, printable."""
    return _of_tenant(registration_id, "check_out", "tenant.check_out_receipt_pdf")


@tenant.get("/homes/<registration_id>/check-out-receipt.pdf")
def check_out_receipt_pdf(registration_id: str) -> Response:
    """The same as a file."""
    return _pdf_of_tenant(registration_id, "check_out")


@landlord.get("/leases/<lease_id>/receipt", endpoint="receipt")
def landlord_receipt(lease_id: str) -> str:
    """The receipt of the landlord's own report, printable; nothing of the tenant."""
    found = receipts.get_landlord_receipt(world(), account_id=account_id(), lease_id=lease_id)
    back = url_for("landlord.lease", lease_id=lease_id)
    return _page(found, back, url_for("landlord.receipt_pdf", lease_id=lease_id))


@landlord.get("/leases/<lease_id>/receipt.pdf", endpoint="receipt_pdf")
def landlord_receipt_pdf(lease_id: str) -> Response:
    """The same as a file."""
    pdf = receipts.print_landlord_receipt_pdf(
        world(), account_id=account_id(), lease_id=lease_id, language=_wished_language()
    )
    return pdf_answer(pdf)


def draw_qr(text: str, words: str) -> Markup:
    """A QR code as inline SVG with a title for those who do not see it; level M, quiet zone of four modules."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(scale=1, border=4, title=words, omitsize=True, svgclass=None, lineclass=None))


def _of_tenant(registration_id: str, kind: str, pdf: str) -> str:
    found = receipts.get_receipt(world(), account_id=account_id(), registration_id=registration_id, kind=kind)
    back = url_for("tenant.tenancy", registration_id=registration_id)
    return _page(found, back, url_for(pdf, registration_id=registration_id))


def _pdf_of_tenant(registration_id: str, kind: str) -> Response:
    pdf = receipts.print_receipt_pdf(
        world(), account_id=account_id(), registration_id=registration_id, language=_wished_language(), kind=kind
    )
    return pdf_answer(pdf)


def _page(found: receipts.ReceiptView, back: str, pdf: str) -> str:
    genuine = receipt_checks.check_receipt(world(), text=found.token).valid
    code = draw_qr(found.link, _("登记凭证的二维码"))
    return render_template(
        "front/receipt.html", receipt=found, text=found.link, genuine=genuine, code=code, back_to=back, pdf=pdf
    )


def _wished_language() -> str:
    wish = request.args.get("lang", "")
    return wish if wish in LANGUAGES else language()
