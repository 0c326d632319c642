"""The walker: opens every page of walk_pages.py in one of the four modes and notes what is wrong with it.

Everything is asked in one visit: accessibility (A1), the browser's complaints and foreign requests (A2), sizes and
sideways scroll (A3), untranslated words (A4). `ANJU_GALLERY=folder` keeps a picture of each.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Error as PlaywrightError

from tests.browser.cast import Cast, Person
from tests.browser.complaints import Complaints
from tests.browser.cookies import session_cookie
from tests.browser.walk_pages import FAULTY, Visit

MODES = (("zh", False), ("en", False), ("zh", True), ("en", True))
AXE = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
}
# What a page says about itself, asked once. Names, addresses and other people's words are marked in the page as data.
AUDIT = r"""([elder, language]) => {
  const seen = (each) => each.checkVisibility() && !each.closest('.unseen');
  const short = (each) => each.outerHTML.slice(0, 110);
  const least = elder ? 60 : 44;
  const targets = 'button, select, textarea, input:not([type=hidden]), a.button, a.item, a.back, .tabs a, summary';
  const small = [...document.querySelectorAll(targets)].filter(seen)
    .filter((each) => { const box = (each.closest('label') ?? each).getBoundingClientRect();
                        return Math.min(box.height, box.width) < least - 0.5; }).map(short);
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const marked = '.data, .plate, .demo-data, .number, code, script, template, noscript, [lang]:not(html)';
  const words = [], tiny = [];
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const home = node.parentElement, said = node.textContent.trim();
    if (!said || !seen(home)) continue;
    if (elder && parseFloat(getComputedStyle(home).fontSize) < 18) tiny.push(short(home));
    if (!home.closest(marked)) words.push(said);
  }
  for (const each of document.querySelectorAll('[aria-label], [placeholder], [alt], [title]'))
    if (!each.closest(marked))
      for (const name of ['aria-label', 'placeholder', 'alt', 'title']) words.push(each.getAttribute(name) ?? '');
  const names = [...document.querySelectorAll(marked)].map((each) => each.textContent).join('|');
  words.push(document.title.split(' ').filter((word) => !names.includes(word)).join(' '));  // it may name a room
  return {small, tiny, words, wide: document.documentElement.scrollWidth - innerWidth,
          lang: document.documentElement.lang,
          heads: document.querySelectorAll('h1').length, ids: document.querySelectorAll('[id]').length
            - new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size};
}"""
LARGE_TEXT = """() => { document.documentElement.style.fontSize = '200%';
  const wide = document.documentElement.scrollWidth - innerWidth;
  const over = wide <= 0 ? [] : [...document.querySelectorAll('body *')]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1).map((each) => each.outerHTML.slice(0, 90));
  document.documentElement.style.fontSize = ''; return [wide, over.slice(-2)]; }"""
CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
# Latin letters that a Chinese page may hold: names of things, numbers of rules and of doors, form numbers.
LATIN = re.compile(
    r"Anju|App|APP|Android|iPhone|iOS|Safari|Chrome|WiFi|Wi-Fi|NFC|QR|PDF|JSON|CSV|XLSX|xlsx|Excel|JPEG|PNG|JWS|RR1|SHA|SPECIMEN|MB|"
    r"(?:ZJ|HR|HK|FACE|PIPL|PSAL|EEL|AJ|U|NID|NIA|GB|GA)[-–/][\w/-]+|\bX\b|\bx\b|dBm|\bkm?\b|\bm\b|GMT|https?://\S+"
)


@dataclass
class Walk:
    """What one walk found, by acceptance line; and which pages were opened."""

    troubles: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    opened: set[str] = field(default_factory=set)


class Walker:
    """Opens pages as members of the cast."""

    def __init__(self, chromium: Any, app: Flask, base: str, cast: Cast) -> None:
        self._chromium, self._app, self._base, self._cast = chromium, app, base, cast
        self._gallery = os.environ.get("ANJU_GALLERY")
        self._turn = 0

    def walk(self, visits: Iterable[Visit], turn: int) -> Walk:
        """Open each page in the mode whose turn it is: four turns show every page in all four modes.

        The first turn is the everyday one: it lets axe look at one state of each page, the others at all.
        """
        done = Walk()
        by_person: dict[str | None, list[Visit]] = defaultdict(list)
        for visit in visits:
            by_person[visit.who].append(visit)
        for who, theirs in by_person.items():
            context = self._chromium.new_context(
                viewport={"width": 320, "height": 800}, locale="zh-CN", base_url=self._base, service_workers="block"
            )
            page = context.new_page()
            page.set_default_timeout(20_000)
            heard = Complaints(page, self._base)
            for visit in theirs:
                mode = MODES[(crc32(visit.name.encode()) + turn) % 4]
                self._dress(context, who, mode)
                self._turn = turn
                mode = (visit.speaks or mode[0], mode[1])
                try:
                    self._visit(page, visit, mode, done, heard)
                except PlaywrightError as error:
                    done.troubles["A2"].append(f"{visit.name} {mode}: {str(error)[:160]} at {page.url}")
            context.close()
        return done

    def cookie(self, person: Person) -> dict[str, str]:
        """The session cookie of somebody who has signed in."""
        return session_cookie(self._app, self._base, person.sid, person.secret)

    def path_of(self, visit: Visit) -> str:
        """A path with the ids of its person, and of others by their names."""

        def put(found: re.Match[str]) -> str:
            name, _, member = found[1].rpartition(".")
            return str(getattr(self._cast[name or visit.who or ""], member))

        return re.sub(r"{([\w.]+)}", put, visit.path)

    def _dress(self, context: Any, who: str | None, mode: tuple[str, bool]) -> None:
        values = {"anju-lang": mode[0], "anju-elder": "1" if mode[1] else "0"}
        cookies = [{"name": name, "value": value, "url": self._base} for name, value in values.items()]
        context.add_cookies(cookies + ([self.cookie(self._cast[who])] if who else []))

    def _visit(self, page: Any, visit: Visit, mode: tuple[str, bool], done: Walk, heard: Complaints) -> None:
        label = f"{visit.name} {mode[0]}{' elder' if mode[1] else ''}"
        answer = page.goto(self.path_of(visit))
        if visit.send:
            answer = self._send(page, visit)
        status = answer.status
        if status != visit.status:
            done.troubles["A2"].append(f"{label}: {status} instead of {visit.status} at {page.url}")
        if status >= 400:
            heard.allow(status, at=answer.url)
        done.troubles["A2"] += [f"{label}: {said}" for said in heard.take()]
        self._judge(label, mode, page.evaluate(AUDIT, [mode[1], mode[0]]), done)
        if self._turn or visit.endpoint not in done.opened:
            self._ask_axe(page, label, done)
        done.opened.add(visit.endpoint)
        self._enlarge(page, label, mode, done)
        if self._gallery:
            self._keep(page, label)

    def _send(self, page: Any, visit: Visit) -> Any:
        steps = SENT.get(visit.send, [{}])
        for answers in steps:
            for name, value in answers.items():
                field = page.locator(f'main [name="{name}"]').first
                field.evaluate(FILL, value.format(turn=self._turn), timeout=3000)
            selector = FAULTY if visit.send in SENT else visit.send
            with page.expect_navigation() as arrived:
                page.evaluate(SEND, selector)
        return arrived.value

    def _judge(self, label: str, mode: tuple[str, bool], said: dict[str, Any], done: Walk) -> None:
        language, _elder = mode
        sizes, words = done.troubles["A3"], done.troubles["A4"]
        sizes += [f"{label}: too small: {each}" for each in said["small"]]
        sizes += [f"{label}: below 18 px: {each}" for each in said["tiny"]]
        if said["wide"] > 0:
            sizes.append(f"{label}: scrolls sideways by {said['wide']} px at 320 px")
        if said["lang"] != {"zh": "zh-CN", "en": "en"}[language]:
            words.append(f"{label}: lang={said['lang']}")
        if said["heads"] != 1 or said["ids"]:
            done.troubles["A1"].append(f"{label}: {said['heads']} h1, {said['ids']} ids twice")
        if language == "en":
            words += [f"{label}: not English: {each}" for each in said["words"] if CHINESE.search(each)]
        else:
            words += [f"{label}: not Chinese: {each}" for each in said["words"]
                      if re.search("[A-Za-z]{2}", LATIN.sub("", each))]  # fmt: skip

    def _ask_axe(self, page: Any, label: str, done: Walk) -> None:
        found = Axe().run(page, options=AXE)
        for one in found.response["violations"]:
            places = [node["html"][:100] for node in one["nodes"][:3]]
            done.troubles["A1"].append(f"{label}: {one['id']}: {places}")

    def _enlarge(self, page: Any, label: str, mode: tuple[str, bool], done: Walk) -> None:
        if not mode[1]:  # elder mode is large text already
            page.set_viewport_size({"width": 390, "height": 800})
            wide, over = page.evaluate(LARGE_TEXT)
            page.set_viewport_size({"width": 320, "height": 800})
            if wide > 0:
                done.troubles["A3"].append(f"{label}: scrolls sideways by {wide} px at 200 %: {over}")

    def _keep(self, page: Any, label: str) -> None:
        page.set_viewport_size({"width": 390, "height": 844})
        folder = Path(str(self._gallery)) / "walk"
        folder.mkdir(parents=True, exist_ok=True)
        page.evaluate(TABS_TO_THE_END)
        page.screenshot(path=folder / f"{label.replace(' ', '-')}.png", full_page=True)
        page.set_viewport_size({"width": 320, "height": 800})


# A long picture would show the tabs across its middle.
TABS_TO_THE_END = "() => document.querySelector('.tabs')?.style.setProperty('position', 'static')"
SEND = """(selector) => { const form = document.querySelector(selector);
  const key = form.querySelector('button[type=submit], button:not([type])');  // the one that Enter presses
  if (key?.name) { const kept = document.createElement('input'); kept.type = 'hidden'; kept.name = key.name;
             kept.value = key.value; form.append(kept); }
  HTMLFormElement.prototype.submit.call(form); }"""
FILL = """(field, value) => { if (field.type === 'radio')
    field = document.querySelector(`main [name="${field.name}"][value="${value}"]`), field.checked = true;
  else field.value = value; }"""
# Forms that are sent with answers, step by step; what comes after the last step is the page that is looked at.
SENT: dict[str, list[dict[str, str]]] = {
    "sign-in": [{"phone": "1990001{turn}788"}],
    "sign-in-wrong": [{"phone": "1990001{turn}789"}, {"code": "000000"}],
    "receipt": [{"text": "e30.e30.e30"}],
    "lease-nameless": [{"alias": ""}],
    "lease-2": [{"kind": "room", "ends_on": "2027-11-22", "alias": "东边的房间"}],
    "lease-3": [
        {"kind": "room", "ends_on": "2027-11-22", "alias": "东边的房间"},
        {"tenant_name": "周来福", "tenant_id_number": "341822199506010006", "tenant_phone": "19900007787"},
    ],
}
