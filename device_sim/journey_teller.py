"""How the journey tells what happens: a line per step with its time, a line for each wait, JSON at the end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx

Seen = TypeVar("Seen")

LOOK_EVERY_SECONDS = 0.25
LINE_EVERY_SECONDS = 2.0
CLEAR_LINE = "\r\x1b[K"


class Stopped(Exception):
    """The journey ends here: exit status, the reason in words, what can be done instead."""

    def __init__(self, status: int, reason: str, *, ways: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.status, self.reason, self.ways = status, reason, ways


class Teller:
    """Prints for people on standard output; with `as_json` only one document at the end goes there."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.steps: list[dict[str, Any]] = []
        self._began = time.monotonic()
        self._out = sys.stderr if as_json else sys.stdout
        self._live = self._out.isatty()

    @contextmanager
    def step(self, zh: str, en: str) -> Iterator[list[str]]:
        """One step; what is put into the list is told beside its time."""
        began, notes = time.monotonic(), list[str]()
        number = len(self.steps) + 1
        try:
            yield notes
        except BaseException:
            self._line(f"{number:>3}  ✗ {zh} · {en}")
            raise
        seconds = time.monotonic() - began
        self.steps.append({"number": number, "zh": zh, "en": en, "seconds": round(seconds, 3), "notes": notes})
        self._line(f"{number:>3}  ✓ {zh} · {en}  ({seconds:.2f} s)")
        for note in notes:
            self._line(f"       {note}")

    def wait(self, what: str, look: Callable[[], Seen | None], seconds: float = 60) -> Seen:
        """Look again and again until there is something; tells how long it has waited.

        Raises Stopped with status 1 when it has not come after `seconds`.
        """
        began = told = time.monotonic()
        while True:
            found = look()
            now = time.monotonic()
            if found is not None:
                if self._live:
                    self._out.write(CLEAR_LINE)
                return found
            if now - began > seconds:
                raise Stopped(1, f"{what}: 等了 {seconds:.0f} 秒仍没有结果 · not there after {seconds:.0f} s")
            if self._live:
                self._out.write(f"{CLEAR_LINE}       … {what} ({now - began:.0f} s)")
                self._out.flush()
            elif now - told >= LINE_EVERY_SECONDS:
                told = now
                self._line(f"       … {what} ({now - began:.0f} s)")
            time.sleep(LOOK_EVERY_SECONDS)

    def patiently(self, what: str, call: Callable[[], Seen], seconds: float = 30) -> Seen:
        """Do something over a network; when nobody answers (a process is being restarted), try again for a while.

        Raises Stopped with status 1 when nobody has answered after `seconds`.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                return call()
            except (httpx.TransportError, OSError) as error:
                if time.monotonic() > until:
                    raise Stopped(1, f"{what} 没有回答 · does not answer ({type(error).__name__})") from None
                self.pause(f"{what} 没有回答，重试 · does not answer, trying again", 1)

    def busy(self, what: str) -> None:
        """Tell what takes its time now; the next line takes its place on a terminal."""
        self._out.write(f"{CLEAR_LINE}       … {what}" if self._live else f"       … {what}\n")
        self._out.flush()

    def pause(self, what: str, seconds: float) -> None:
        """Wait because a rule says so (a code may be asked for once a minute)."""
        until = time.monotonic() + seconds
        self.wait(what, lambda: True if time.monotonic() >= until else None, seconds + 5)

    def say(self, text: str) -> None:
        """A line that is no step."""
        self._line(text)

    def finish(self, status: int, **outcome: Any) -> int:
        """Tell how it ended; answers the exit status."""
        seconds = time.monotonic() - self._began
        if self.as_json:
            document = {"ok": status == 0, "exit": status, "seconds": round(seconds, 3), "steps": self.steps, **outcome}
            print(json.dumps(document, ensure_ascii=False, indent=1))
        elif status == 0:
            self._line(f"\n全程 {seconds:.1f} 秒 · the whole journey took {seconds:.1f} s")
        else:
            self._line(f"\n{outcome.get('reason', '')}")
            for way in outcome.get("other_ways", ()):
                self._line(f"  · {way}")
        return status

    def _line(self, text: str) -> None:
        self._out.write((CLEAR_LINE if self._live else "") + text + "\n")
        self._out.flush()
