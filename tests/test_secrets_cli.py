"""Secrets are read from standard input or asked at a terminal; a new password is typed twice."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest

from backend.secrets_cli import SecretMissing, ask_new_password, ask_secrets


class Terminal(StringIO):
    """A standard input at which somebody sits."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def answer(monkeypatch: Any, *typed: str) -> list[str]:
    """Somebody who types these; answers what was asked."""
    asked: list[str] = []
    left = list(typed)

    def prompt(words: str) -> str:
        asked.append(words)
        if not left:
            raise EOFError
        return left.pop(0)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", prompt)
    return asked


def test_a_new_password_is_typed_twice_and_must_be_the_same(monkeypatch: Any) -> None:
    asked = answer(monkeypatch, "six plain words", "six plain words")
    assert ask_new_password(stdin=False) == "six plain words"
    assert asked == ["New password: ", "New password once more: "]
    answer(monkeypatch, "six plain words", "six plain word")
    with pytest.raises(SecretMissing, match="the two passwords differ; nothing was changed"):
        ask_new_password(stdin=False)
    monkeypatch.setattr("sys.stdin", StringIO("six plain words\n"))
    assert ask_new_password(stdin=True) == "six plain words"


@pytest.mark.parametrize("typed", [(), ("",)])
def test_whoever_types_nothing_changes_nothing(monkeypatch: Any, typed: tuple[str, ...]) -> None:
    answer(monkeypatch, *typed)
    with pytest.raises(SecretMissing, match="no password was given; nothing was changed"):
        ask_secrets(("password",), stdin=False)


def test_an_interrupt_at_the_first_question_asks_no_second(monkeypatch: Any) -> None:
    asked = answer(monkeypatch)

    def interrupt(words: str) -> str:
        asked.append(words)
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupt)
    with pytest.raises(KeyboardInterrupt):
        ask_secrets(("password", "code"), stdin=False)
    assert asked == ["Password: "]


def test_lines_of_standard_input_keep_their_spaces(monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", StringIO(" a pass word \r\n123456\n"))
    assert ask_secrets(("password", "code"), stdin=True) == [" a pass word ", "123456"]
