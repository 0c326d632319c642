"""Every page in both languages and both modes on the smallest phone: nothing hangs over, nothing is tiny."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.browser.conftest import Phone

# the walk looks at every page each day; this looks at them as they come out of real clicking
pytestmark = [pytest.mark.browser, pytest.mark.release]

Phones = Callable[..., Phone]
MODES = [("zh", False), ("en", False), ("zh", True), ("en", True)]
NOBODYS = ("/", "/sign-in?next=/l/", "/r/", "/demo/messages", "/demo/specimen")
OWN = ("/me/", "/me/messages", "/me/access", "/me/consents", "/me/children", "/me/sign-ins")
OF_LEASE = ("", "/share", "/attest", "/extend", "/invite", "/tenant", "/start", "/end", "/key/revoke")
OF_HOME = ("", "/key", "/doors", "/receipt", "/move-out", "/key/suspend", "/notice", "/identity", "/declare",
           "/ways", "/ways/window", "/guardian", "/household", "/household/add")  # fmt: skip
# Words below 18 px, which elder mode does not have.
TINY = """() => [...document.querySelectorAll('main *, .foot *')]
  .filter((each) => each.offsetParent !== null && parseFloat(getComputedStyle(each).fontSize) < 18)
  .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
  .map((each) => each.outerHTML.slice(0, 90))"""


def links(phone: Phone, path: str, pattern: str) -> list[str]:
    phone.page.goto(path)
    return sorted(set(re.findall(pattern, phone.page.content())))


def look_at(phone: Phone, paths: list[str]) -> None:
    for language, elder in MODES:
        phone.set_mode(language, elder)
        for path in paths:
            phone.page.goto(path)
            phone.look(f"{language}{'-elder' if elder else ''}{path.replace('/', '_')}"[:60], 60 if elder else 44)
            assert not elder or not phone.page.evaluate(TINY), path


def test_the_pages_of_nobody_fit(phones: Phones) -> None:
    look_at(phones("nobody", 320), list(NOBODYS))


def test_the_landlords_pages_fit(phones: Phones) -> None:
    phone = phones("sample-landlord", 320)
    phone.page.goto("/sign-in?next=/l/")
    phone.sign_in("19900000003")
    unit = links(phone, "/l/", r"/l/units/[0-9a-f-]{36}")[0]
    lease = links(phone, unit, r"/l/leases/[0-9a-f-]{36}")[0]
    dwelling = links(phone, "/l/dwellings?q=陈塘", r"/l/dwellings/[0-9a-f-]{36}")[0]
    look_at(phone, ["/l/", "/l/todos", "/l/reminders", "/l/offline", "/l/identity", "/l/dwellings?q=陈塘", dwelling,
                    f"{dwelling}/add", unit, f"{unit}/lock",
                    f"{unit}/lock/claim", f"{unit}/lease", *(lease + more for more in OF_LEASE), *OWN])  # fmt: skip


def test_the_tenants_pages_fit(phones: Phones) -> None:
    phone = phones("sample-tenant", 320)
    phone.page.goto("/sign-in?next=/t/")
    phone.sign_in("19900010002")
    phone.sees("居住登记")
    phone.page.get_by_text("看登记凭证").wait_for(timeout=60_000)
    home = re.search(r"/t/homes/[0-9a-f-]{36}", phone.page.url)
    assert home is not None
    look_at(phone, [home[0] + more for more in OF_HOME] + list(OWN))
