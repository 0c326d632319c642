"""Secrets that a command of the operator's asks for: at a prompt that shows nothing, or from standard input.

Never as an argument or in the environment, where the list of processes and the shell's history would show them, and
never from a file that would stay.
"""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Sequence

NEW_PASSWORD = "new password"


class SecretMissing(Exception):
    """What was asked for was not given; nothing was changed."""


def add_secret_argument(parser: argparse.ArgumentParser, *names: str) -> None:
    """Let a script give the secrets on standard input, one a line, in this order."""
    text = f"read {' and '.join(names)} from standard input, one a line, instead of asking"
    parser.add_argument("--stdin", action="store_true", help=text)


def ask_secrets(names: Sequence[str], *, stdin: bool) -> list[str]:
    """The secrets, in the order of `names`. Raises SecretMissing when one is not given or nobody can be asked."""
    if not stdin and not sys.stdin.isatty():
        wanted = " and ".join(names)
        raise SecretMissing(f"there is no terminal to ask for {wanted}; give it with --stdin, one a line.")
    given = [_read_line() if stdin else _prompt(name) for name in names]
    for name, secret in zip(names, given, strict=True):
        if not secret:
            raise SecretMissing(f"no {name} was given; nothing was changed.")
    return given


def ask_new_password(*, stdin: bool) -> str:
    """A password that is to be used from now on: twice at a prompt, where nobody sees what is typed."""
    names = (NEW_PASSWORD,) if stdin else (NEW_PASSWORD, f"{NEW_PASSWORD} once more")
    given = ask_secrets(names, stdin=stdin)
    if len(set(given)) > 1:
        raise SecretMissing("the two passwords differ; nothing was changed.")
    return given[0]


def _read_line() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _prompt(name: str) -> str:
    try:
        return getpass.getpass(f"{name[:1].upper()}{name[1:]}: ")
    except EOFError:  # Ctrl+C ends the command
        print(file=sys.stderr)
        return ""
