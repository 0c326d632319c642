"""A page as a tree: its elements with their attributes, what lies inside them, and its forms with their fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"input", "meta", "link", "br", "img", "path", "rect", "circle", "hr", "line", "source"}
CONTROLS = ("input", "select", "textarea")


@dataclass
class Element:
    """One element; `words` are its own and those of all inside."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """The element and all inside, in the order of the page."""
        yield self
        for each in self.inside:
            if isinstance(each, Element):
                yield from each.walk()

    def find_all(self, *tags: str, **attributes: str) -> list[Element]:
        """Those of some tags (all without one) with these attributes; `class_` asks for one class of several."""
        wanted = attributes.pop("class_", "")
        return [
            each
            for each in self.walk()
            if (not tags or each.tag in tags)
            and (not wanted or wanted in each.get("class").split())
            and all(each.attributes.get(name) == value for name, value in attributes.items())
        ]

    def get(self, name: str) -> str:
        """An attribute, empty where it is missing."""
        return self.attributes.get(name, "")

    @property
    def words(self) -> str:
        """All words, with single spaces."""
        return " ".join("".join(self._texts()).split())

    def _texts(self) -> Iterator[str]:
        for each in self.inside:
            if isinstance(each, str):
                yield each
            elif each.tag not in ("template", "script", "style"):
                yield from each._texts()

    @property
    def controls(self) -> list[Element]:
        """Fields that a person fills, without buttons and what is hidden."""
        return [each for each in self.find_all(*CONTROLS) if each.get("name") and each.get("type") != "hidden"]

    @property
    def hidden(self) -> dict[str, str]:
        """What a form sends along unseen."""
        return {each.get("name"): each.get("value") for each in self.find_all("input", type="hidden")}

    @property
    def options(self) -> list[str]:
        """The values of a select, without the blank."""
        return [each.get("value") for each in self.find_all("option") if each.get("value")]

    def value_of(self, name: str) -> str | None:
        """What a field of the form would send now; None for nothing."""
        found = [each for each in self.find_all(*CONTROLS) if each.get("name") == name]
        for each in found:
            if each.tag == "select":
                chosen = [option for option in each.find_all("option") if "selected" in option.attributes]
                return chosen[0].get("value") if chosen else next(iter(each.find_all("option"))).get("value")
            if each.tag == "textarea":
                return "".join(each._texts())
            if each.get("type") not in ("radio", "checkbox"):
                return each.get("value")
            if "checked" in each.attributes:
                return each.get("value")
        return None


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = Element("")
        self.open = [self.top]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(made)
        if tag not in VOID:
            self.open.append(made)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if any(each.tag == tag for each in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read_tree(html: str) -> Element:
    """The tree of a page."""
    builder = _Builder()
    builder.feed(html)
    return builder.top
