"""A phone browser as the page tests use it: reads a page's forms and sends them with what stands in them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from flask import Flask
from werkzeug.test import TestResponse

from backend.gateways.world import World
from backend.services.messages import send_due_messages

ORIGIN = "https://localhost"  # the session cookie is Secure
CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_NOT_READ = ("script", "style", "title", "option", "optgroup", "template")
_VOID = {"input", "meta", "link", "br", "img", "path", "rect", "circle", "hr"}


@dataclass
class Form:
    """One form of a page: where it goes, what stands in it, its buttons as (words, name, value)."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str | None, str | None]] = field(default_factory=list)


class PageReader(HTMLParser):
    """Forms, links, ids and visible words of a page; words inside data (names, addresses) are kept apart."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.classes: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._area: str | None = None
        self._button: list[Any] | None = None
        self._data: list[str] = []
        self._open: list[tuple[str, bool]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self._note(tag, found)
        form = self._form
        if tag == "form":
            self._form = Form(found.get("action", ""), found.get("method", "get").upper())
            self.forms.append(self._form)
        elif tag == "input" and form is not None and "name" in found:
            kind = found.get("type", "text")
            if kind not in ("radio", "checkbox") or "checked" in found:
                form.values[found["name"]] = found.get("value", "")
        elif tag == "select":
            self._select = found.get("name")
        elif tag == "option" and form is not None and self._select and "selected" in found:
            form.values[self._select] = found.get("value", "")
        elif tag == "textarea":
            self._area = found.get("name")
        elif tag == "button":
            self._button = [[], found.get("name"), found.get("value")]

    def _note(self, tag: str, found: dict[str, str]) -> None:
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        self.classes += found.get("class", "").split()
        self.attributes += [(tag, name, value) for name, value in found.items()]
        is_data = {"data", "plate", "demo-data"} & set(found.get("class", "").split()) or found.get("lang") == "zh-CN"
        if tag not in _VOID and tag != "html":
            inside = bool(self._open and self._open[-1][1])
            self._open.append((tag, bool(is_data) or inside or tag in _NOT_READ))

    def handle_endtag(self, tag: str) -> None:
        if any(tag == each for each, _ in self._open):  # an empty element, <path/>, was never opened
            while self._open.pop()[0] != tag:
                pass
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == "button" and self._button is not None:
            if self._form is not None:
                words, name, value = self._button
                self._form.buttons.append((" ".join("".join(words).split()), name, value))
            self._button = None

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button[0].append(data)
        if self._area is not None and self._form is not None:
            self._form.values[self._area] = data
        if data.strip() and not (self._open and self._open[-1][1]):
            self.words.append(" ".join(data.split()))


class Page:
    """An answer as a person sees it."""

    def __init__(self, answer: TestResponse) -> None:
        self.status = answer.status_code
        self.headers = answer.headers
        self.path = answer.request.path
        self.html = answer.get_data(as_text=True)
        self.reader = PageReader(self.html)

    @property
    def text(self) -> str:
        """All visible words outside data."""
        return " ".join(self.reader.words)

    def form(self, words: str) -> Form:
        """The form that has a button with these words."""
        for form in self.reader.forms:
            if any(words in button for button, _name, _value in form.buttons):
                return form
        raise AssertionError(f"no button {words!r} on {self.path}: {[f.buttons for f in self.reader.forms]}")


class PagePhone:
    """One browser."""

    def __init__(self, app: Flask, world: World, language: str = "zh") -> None:
        self.app, self.world = app, world
        self.client = app.test_client()
        self.client.set_cookie("anju-lang", language)

    def get(self, path: str) -> Page:
        """Open a page, going where it sends."""
        return Page(self.client.get(path, base_url=ORIGIN, follow_redirects=True))

    def press(self, page: Page, words: str, **answers: str) -> Page:
        """Fill a form's fields and press its button, as a browser without JavaScript would."""
        form = page.form(words)
        _words, name, value = next(button for button in form.buttons if words in button[0])
        sent = {**form.values, **answers}
        if name:
            sent[name] = value or ""
        target = urljoin(page.path, form.action)
        if form.method == "GET":
            return Page(self.client.get(target, query_string=sent, base_url=ORIGIN, follow_redirects=True))
        answer = self.client.post(target, data=sent, base_url=ORIGIN)
        while answer.status_code == 307:  # the same form once more there, which the client of the tests cannot do
            target = answer.headers["Location"]
            answer = self.client.post(target, data=sent, base_url=ORIGIN)
        if answer.status_code in (302, 303):
            return self.get(urljoin(target, answer.headers["Location"]))
        return Page(answer)

    def sign_in(self, number: str, onward: str = "/") -> Page:
        """Sign in with the code of the message."""
        page = self.press(self.get(f"/sign-in?next={onward}"), "获取验证码", phone=number)
        return self.press(page, "登录", code=self.code(number))

    def code(self, number: str) -> str:
        """The newest code sent to a number, as the worker sends it."""
        with self.app.app_context():
            send_due_messages(self.world)
        text = next(message.text for message in self.world.sms.messages() if message.phone == number)
        found = re.search(r"\d{6}", text)
        assert found is not None
        return found[0]
