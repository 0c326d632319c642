"""Languages: every text of templates and pages is in the English catalogue, and no page leaves Chinese untranslated."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from backend.domain.access_words import FIELD_NAMES
from backend.domain.commands import FINAL
from backend.domain.divisions import find_division, provinces
from backend.domain.notices import INBOX
from backend.queries.locks import HEALTH_KINDS
from backend.services.access_records import OPENINGS
from backend.services.identity_reviews import ask_a_person
from backend.services.leases import end_lease
from backend.wire.registry_payload import FIELDS
from backend.worker.registry_loop import process_once
from mobile_api.pages import tables
from tests.mobile_api.page_phones import CHINESE, PagePhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE

ROOM = Path(tables.__file__).parents[1]
CATALOGUE = ROOM / "translations" / "en.po"
Make = Callable[..., Any]
Browser = Callable[..., PagePhone]


def messages_of_the_pages() -> dict[str, str]:
    methods = [("pages/**.py", "python"), ("demo.py", "python"), ("templates/**.html", "jinja2")]
    keywords = {"_": None, "_l": None, "gettext": None}
    options = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
    return {
        str(message): f"{file}:{line}"
        for file, line, message, _comments, _context in extract_from_dir(
            str(ROOM), methods, options_map=options, keywords=keywords
        )
    }


def catalogue() -> dict[str, str]:
    with CATALOGUE.open("rb") as source:
        return {str(message.id): str(message.string) for message in read_po(source, locale="en") if message.id}


def test_every_text_has_its_english_words() -> None:
    known = catalogue()
    missing = {text: place for text, place in messages_of_the_pages().items() if not known.get(text)}
    assert not missing


def test_the_catalogue_holds_no_text_that_is_gone() -> None:
    assert not set(catalogue()) - set(messages_of_the_pages())


def test_a_translation_keeps_its_placeholders_and_is_not_chinese() -> None:
    places = re.compile(r"%\(\w+\)s|%%|\{\w+\}")
    for text, english in catalogue().items():
        assert sorted(places.findall(text)) == sorted(places.findall(english)), text
        assert not CHINESE.search(english), text


def test_no_page_or_module_says_chinese_outside_the_translated_texts() -> None:
    loose = []
    for path in sorted((ROOM / "templates").rglob("*.html")):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"_\((['\"]).*?\1[^)]*\)", "", text, flags=re.DOTALL)
        text = re.sub(r"data\('[^']*'\)|lang=\"zh-CN\">[^<]*|样本 SPECIMEN|'：'", "", text)
        loose += [f"{path.name}: {found}" for found in CHINESE.findall(text)]
    assert not loose


def test_every_field_that_goes_to_the_registry_has_words() -> None:
    assert not set(FIELDS) - set(FIELD_NAMES)


def test_every_word_of_a_lock_that_a_page_may_show_is_known() -> None:
    assert not set(HEALTH_KINDS) - set(tables.HEALTH_WORDS)
    assert not set(OPENINGS) - set(tables.DOOR_WORDS)
    assert set(FINAL) < set(tables.COMMAND_STATES)


def test_the_division_table_has_every_province_and_the_countys_own_code() -> None:
    assert len(provinces()) == 31
    assert find_division("330522") == "浙江省 湖州市 长兴县"
    assert find_division("441900") == "广东省 东莞市"
    assert find_division("341822") is None, "an abolished code is not offered"


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_is_left_untranslated_on_any_english_page(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_active)
    for _ in range(3):
        make(process_once, sleep=lambda seconds: None)
    tenant, landlord = browser(TENANT_PHONE, "en"), browser(LANDLORD_PHONE, "en")
    check_pages(browser(None, "en"), "/", "/sign-in", "/r/", "/demo/messages", "/demo/specimen", "/nowhere", "/l/")
    check_pages(landlord, *landlord_pages(story))
    check_pages(tenant, *tenant_pages(story))
    make(end_lease, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    check_pages(landlord, f"/l/leases/{story.lease_id}", "/me/messages")
    check_pages(tenant, f"/t/homes/{story.registration_id}", "/me/messages")


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_nothing_is_left_untranslated_before_the_key_works(browser: Browser, make: Make, world: Any) -> None:
    story = make(stories.make_identified)
    home = f"/t/homes/{story.registration_id}"
    tenant = browser(TENANT_PHONE, "en")
    check_pages(tenant, home, f"{home}/notice", f"{home}/face", f"{home}/ways", f"{home}/declare", f"{home}/key")
    tenant.press(tenant.get(f"{home}/face"), "Yes, use the face check")
    check_pages(tenant, f"{home}/face/check")
    page = tenant.press(tenant.get(f"{home}/declare"), "All correct", move_in_on="2099-01-01")
    assert page.status == 422 and not CHINESE.search(page.text), page.text
    make(ask_a_person, account_id=story.tenant, way="window")
    check_pages(tenant, home, f"{home}/ways")


def landlord_pages(story: Any) -> list[str]:
    unit, lease = f"/l/units/{story.unit_id}", f"/l/leases/{story.lease_id}"
    dwelling = f"/l/dwellings/{story.dwelling_id}"
    return [
        "/l/", "/l/identity", "/l/dwellings?q=陈塘", "/l/dwellings?q=nothing", dwelling, f"{dwelling}/add",
        f"{dwelling}/units/{story.unit_id}/claim", unit, f"{unit}/lock", f"{unit}/lock/claim", f"{unit}/lease", lease,
        f"{lease}/share", f"{lease}/invite", f"{lease}/tenant", f"{lease}/start", f"{lease}/attest",
        f"{lease}/extend", f"{lease}/end", f"{lease}/key/suspend", f"{lease}/key/revoke",
        "/l/contested/AJ-20261123-0001", "/me/", "/me/messages", "/me/access", "/me/sign-ins",
    ]  # fmt: skip


def tenant_pages(story: Any) -> list[str]:
    home = f"/t/homes/{story.registration_id}"
    return [
        "/t/", home, f"{home}/identity", f"{home}/key", f"{home}/key/suspend", f"{home}/doors", f"{home}/receipt",
        f"{home}/move-out", f"{home}/still-here", f"{home}/ways", "/me/", "/me/messages", "/me/access", "/me/consents",
        "/me/consents/face_check/withdraw", "/me/sign-ins",
    ]  # fmt: skip


def check_pages(phone: PagePhone, *paths: str) -> None:
    for path in paths:
        page = phone.get(path)
        assert page.status < 500, path
        left = [word for word in page.reader.words if CHINESE.search(word)]
        assert not left, f"{path} leaves untranslated: {left}"


def test_what_a_message_quotes_is_a_word_of_the_pages() -> None:
    chinese, english = set(catalogue()), set(catalogue().values())
    quoted = [
        (kind, words)
        for kind, text in INBOX.items()
        for spoken, known in ((text.text_zh, chinese), (text.text_en, english))
        for words in re.findall("“([^”{]+)”", spoken)
        if words.strip(".") not in known
    ]
    assert not quoted


def test_a_door_has_one_word_for_the_window() -> None:
    assert not [words for words in catalogue().values() if re.search("counter", words, re.IGNORECASE)]
