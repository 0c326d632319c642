"""A page with what was typed put back into its form: a person sees it where it was written, and sends it anew.

The page is the one a door has just made, asked for inside the present request; it is changed at the fields and nowhere
else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from backend.domain.ids import is_id

CONTROLS = ("input", "select", "textarea")
ONCE = ("once", "note_id")  # keys against a second record: a form that is put back keeps the first
OF_THE_PAGE = ("csrf_token", "from_page", "next", "kept")
NEVER_FILLED = ("password", "file")
_CODE = re.compile(r"[a-z0-9_:]+")  # what a door calls a choice

Attributes = dict[str, str | None]
Fields = Sequence[tuple[str, str]]


@dataclass
class _Tag:
    """A start tag, and where it stands in the page."""

    name: str
    attributes: Attributes
    start: int
    end: int
    words: str = ""

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""

    @property
    def value(self) -> str:
        """What an option or a field sends."""
        value = self.attributes.get("value")
        return self.words.strip() if value is None and self.name == "option" else value or ""

    def with_changes(self, **changes: str | None | bool) -> str:
        """The tag with some attributes set (None: without a value) or taken away (False)."""
        left: dict[str, str | None] = {**self.attributes}
        for name, value in changes.items():
            left.pop(name, None)
            if not isinstance(value, bool):
                left[name] = value
        told = (name if value is None else f'{name}="{escape(value)}"' for name, value in left.items())
        return f"<{' '.join((self.name, *told))}>"


@dataclass
class _Control:
    """A field; a select has its options, a textarea the place where its words end."""

    tag: _Tag
    options: list[_Tag] = field(default_factory=list)
    words_end: int = 0


@dataclass
class _Form:
    """A form with its fields and the folds it lies in."""

    tag: _Tag
    folds: list[_Tag]
    controls: list[_Control] = field(default_factory=list)
    buttons: list[_Tag] = field(default_factory=list)


class _Reader(HTMLParser):
    """Finds the forms of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[_Form] = []
        self._lines = [0]
        for line in page.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._form: _Form | None = None
        self._control: _Control | None = None
        self._folds: list[_Tag] = []
        self._option: _Tag | None = None
        self.feed(page)
        self.close()

    def _place(self) -> int:
        line, column = self.getpos()
        return self._lines[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        start = self._place()
        found = _Tag(tag, dict(attrs), start, start + len(self.get_starttag_text() or ""))
        if tag == "details":
            self._folds.append(found)
        elif tag == "form":
            self._form = _Form(found, list(self._folds))
            self.forms.append(self._form)
        elif self._form is not None and tag in CONTROLS:
            self._control = _Control(found)
            self._form.controls.append(self._control)
        elif self._form is not None and tag == "button":
            self._form.buttons.append(found)
        elif tag == "option" and self._control is not None:
            self._option = found
            self._control.options.append(found)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "details" and self._folds:
            self._folds.pop()
        elif tag == "textarea" and self._control is not None:
            self._control.words_end = self._place()
        elif tag == "option":
            self._option = None

    def handle_data(self, data: str) -> None:
        if self._option is not None:
            self._option.words += data


@dataclass(frozen=True)
class Filled:
    """The page with the form filled, what found no field in it, and whether a file must be chosen anew."""

    page: str
    form_at: int  # where a note on the form belongs
    left: tuple[str, ...]
    has_file: bool


def fill_form(page: str, *, address: str, path: str, fields: Fields) -> Filled | None:
    """Fill the form of a page at `address` that goes to `path`; None when the page has no such form any more."""
    forms = [form for form in _Reader(page).forms if _is_it(form, address, path, fields)]
    if not forms:
        return None
    form = forms[0]
    changes, left = _changes(form, fields)
    changes += [(fold.start, fold.end, fold.with_changes(open=None)) for fold in form.folds]
    opened = form.tag.with_changes(action=path)
    changes.append((form.tag.start, form.tag.end, opened))
    made = page
    for start, end, text in sorted(changes, reverse=True):
        made = made[:start] + text + made[end:]
    form_at = form.tag.start + len(opened) + sum(
        len(text) - (end - start) for start, end, text in changes if end <= form.tag.start
    )
    has_file = any(each.tag.get("type") == "file" for each in form.controls)
    return Filled(made, form_at, tuple(left), has_file)


def words_in(values: Iterable[str]) -> list[str]:
    """What a person wrote among the values of a form: no ids, no codes of choices."""
    return [value for value in values if value.strip() and not is_id(value) and not _CODE.fullmatch(value)]


def as_asked(environ: Mapping[str, Any], address: str, form: Fields | None = None) -> dict[str, Any]:
    """The present request, had the browser asked for the page at `address`, or sent it `form`: the same person passes
    the same door."""
    parts = urlsplit(address)
    kept = {
        name: value
        for name, value in environ.items()
        if name.startswith(("HTTP_", "SERVER_", "REMOTE_", "SCRIPT_", "wsgi.")) and name not in _OF_THE_FORM
    }
    body = urlencode(form or ()).encode()
    asked = {
        "REQUEST_METHOD": "GET" if form is None else "POST",
        "PATH_INFO": unquote(parts.path).encode().decode("latin-1"),  # as WSGI wants it
        "QUERY_STRING": parts.query,
        "wsgi.input": BytesIO(body),
    }
    if form is not None:
        asked |= {"CONTENT_TYPE": "application/x-www-form-urlencoded", "CONTENT_LENGTH": str(len(body))}
    return {**kept, **asked}


_OF_THE_FORM = ("HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_CONTENT_LENGTH")


def _is_it(form: _Form, address: str, path: str, fields: Fields) -> bool:
    """Whether this is the form that was sent: it goes there, and says unseen what was said unseen."""
    if form.tag.get("method").lower() != "post" or (form.tag.get("action") or address) != path:
        return False
    sent = set(fields)
    unseen = [each.tag for each in form.controls if each.tag.get("type") == "hidden"]
    fixed = [tag for tag in unseen if tag.get("name") not in (*OF_THE_PAGE, *ONCE)]
    return all((tag.get("name"), tag.value) in sent for tag in fixed)


def _changes(form: _Form, fields: Fields) -> tuple[list[tuple[int, int, str]], list[str]]:
    """What to write where, and the words for which there is no field."""
    left: dict[str, list[str]] = {}
    for name, value in fields:
        left.setdefault(name, []).append(value)
    changes = []
    for control in form.controls:
        tag, name, kind = control.tag, control.tag.get("name"), control.tag.get("type")
        if not name or kind in NEVER_FILLED or name in OF_THE_PAGE:
            continue
        if kind in ("radio", "checkbox"):
            changes.append(_ticked(tag, tag.value if kind == "radio" or "value" in tag.attributes else "on", left))
        elif control.options:
            changes += _chosen(control, left)
        elif left.get(name):
            value = left[name].pop(0)
            if tag.name == "textarea":
                first = "\n" if value.startswith(("\n", "\r")) else ""  # a browser drops one
                changes.append((tag.end, control.words_end, first + escape(value)))
            elif kind != "hidden" or name in ONCE:
                changes.append((tag.start, tag.end, tag.with_changes(value=value)))
    for button in form.buttons:
        if button.value in left.get(button.get("name"), []):
            left[button.get("name")].remove(button.value)
    return changes, [value for name, values in left.items() if name not in OF_THE_PAGE for value in values if value]


def _ticked(tag: _Tag, value: str, left: Mapping[str, list[str]]) -> tuple[int, int, str]:
    wanted = left.get(tag.get("name"), [])
    if value not in wanted:
        return tag.start, tag.end, tag.with_changes(checked=False)
    wanted.remove(value)
    return tag.start, tag.end, tag.with_changes(checked=None)


def _chosen(control: _Control, left: Mapping[str, list[str]]) -> list[tuple[int, int, str]]:
    wanted = left.get(control.tag.get("name"), [])
    found = next((value for value in wanted if any(option.value == value for option in control.options)), None)
    if found is None and wanted and "data-follows" in control.tag.attributes:  # its options come with another choice
        tag = control.tag
        return [(tag.start, tag.end, tag.with_changes(**{"data-kept": wanted.pop(0)}))]
    if found is None:
        return []
    wanted.remove(found)
    return [
        (option.start, option.end, option.with_changes(selected=None if option.value == found else False))
        for option in control.options
    ]
