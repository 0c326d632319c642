"""The public check of a receipt, and drawing QR codes."""

from __future__ import annotations

import segno
from flask import render_template
from flask_babel import gettext as _
from markupsafe import Markup

from backend.services import receipt_checks
from mobile_api.pages.doors import front, world
from mobile_api.pages.forms import Sheet


@front.route("/r/", methods=["GET", "POST"])
def check_receipt() -> str | tuple[str, int]:
    """Anyone pastes the text of a receipt's QR code; the answer says what the registry signed, and never a name."""
    sheet = Sheet.of_request({"text": _("凭证文字")})
    found = None
    with sheet.filling():
        if "text" in sheet.values:
            text = sheet.text("text")
            sheet.check()
            found = receipt_checks.check_receipt(world(), text=text)
    return render_template("front/check_receipt.html", sheet=sheet, found=found), sheet.status


def draw_qr(text: str, words: str) -> Markup:
    """A QR code as inline SVG with a title for those who do not see it; level M, quiet zone of four modules."""
    code = segno.make(text, error="m", micro=False)
    return Markup(code.svg_inline(scale=4, border=4, title=words, omitsize=True, svgclass=None, lineclass=None))
