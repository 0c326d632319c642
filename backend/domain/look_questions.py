"""What a person may ask about one look at their data: chosen, not written, so that no file on anybody grows from it."""

from __future__ import annotations

QUESTIONS: dict[str, tuple[str, str]] = {
    "why": ("为什么要看我的资料？", "Why was my data looked at?"),
    "not_asked": ("我没有请人办过这件事。", "I did not ask anybody to do this."),
    "too_much": ("看的内容是不是太多了？", "Was more looked at than needed?"),
    "wrong": ("用途写得不对。", "The stated purpose is not right."),
}
