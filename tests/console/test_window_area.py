"""A form at the window or at a door shows no address that does not lie in the officer's area, or behind that door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.console.test_window_fields import serve
from tests.services import staff, stories

Browser = Callable[..., Any]
Make = Callable[..., Any]


def test_a_form_about_a_unit_of_another_area_is_not_shown(browser: Browser, make: Make) -> None:
    story = make(stories.make_let_unit)
    far = browser("window_clerk", staff.OTHER_STREET, purpose="help_request")
    file = serve(far)
    for act in ("claim_unit", "declare_without_lease", "record_lease"):
        answer = far.get(f"{file}/acts/{act}?unit_id={story.unit_id}")
        assert answer.status_code == 403 and "陈塘路" not in answer.text, act
    near = browser("window_clerk", purpose="help_request")
    shown = near.get(f"{serve(near)}/acts/claim_unit?unit_id={story.unit_id}")
    assert shown.status_code == 200 and "陈塘路" in shown.text
