"""The place of household registration on a form: asked, checked."""

from __future__ import annotations

from backend.domain.divisions import find_division
from backend.domain.refusals import Refusal
from mobile_api.pages.forms import Sheet


def asked_division(sheet: Sheet, asks: bool) -> str | None:
    """The chosen place of household registration; required where it is asked."""
    # Once declared it is asked no more, but a second submit of the same sheet must stay the same request.
    code = sheet.text("hukou_division") if asks else sheet.optional("hukou_division")
    if code and find_division(code) is None:
        sheet.faults.append(Refusal("registration.division", "hukou_division"))
    return code or None
