"""A whole demo of its own, and phones that browse it: headless Chromium at 390 px with a fake camera.

`ANJU_BROWSER_BASE=http://127.0.0.1:8000` uses a demo that runs already.
`ANJU_GALLERY=folder` keeps a picture of every page that `Phone.look` or the walker looked at, and an index of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from backend.ports import free_ports
from backend.processes import PORTS
from tests.browser.complaints import Complaints
from tests.browser.gallery_index import write_index
from tests.browser.hand_time import DATE_KEYS, Hands, count_keys
from tests.browser.walk_stage import stage

__all__ = ["stage"]

TOP = Path(__file__).resolve().parents[2]
expect.set_options(timeout=20_000)  # as long as a locator waits: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo; its ten processes end with the tests that use them."""
    if "ANJU_BROWSER_BASE" in os.environ:
        yield os.environ["ANJU_BROWSER_BASE"]
        return
    var, ports = tmp_path_factory.mktemp("demo"), dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    address = f"http://127.0.0.1:{ports['mobile_port']}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANJU_")},
        **{f"ANJU_{name.upper()}": str(port) for name, port in ports.items()},
        "ANJU_DEMO": "1", "ANJU_VAR": str(var), "ANJU_COOKIE_SECURE": "0", "ANJU_MOBILE_URL": address,
        "ANJU_REGISTRY_URL": f"http://127.0.0.1:{ports['registry_port']}",
        "ANJU_NETID_URL": f"http://127.0.0.1:{ports['netid_port']}",
    }  # fmt: skip
    with (var / "demo.out").open("w") as out:
        child = subprocess.Popen([sys.executable, "-m", "backend.demo"], cwd=TOP, env=environment, stdout=out,
                                 stderr=subprocess.STDOUT)  # fmt: skip
        try:
            wait_until_ready(child, ports, var / "demo.out")
            yield address
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=60)


def wait_until_ready(child: subprocess.Popen[bytes], ports: dict[str, int], out: Path) -> None:
    """Return when every process answers its health check; fail with the demo's words when it ends before."""
    waiting = {name: port for name, port in ports.items() if name not in ("broker_port", "sim_near_port")}
    for _ in range(240):
        waiting = {name: port for name, port in waiting.items() if not is_well(port)}
        if not waiting:
            return
        try:
            child.wait(timeout=1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail(f"not ready: {sorted(waiting)}\n{out.read_text()[-2000:]}", pytrace=False)


def is_well(port: int) -> bool:
    """Whether a process answers 200 to its health check."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Tell how many taps and how much hand time the journeys took that were counted."""
    for report in terminalreporter.getreports("passed"):
        for name, words in report.user_properties:
            if name in ("Taps", "Hand time"):
                terminalreporter.write_line(f"{name} of {words}")


@pytest.fixture(scope="session", autouse=True)
def gallery() -> Iterator[None]:
    """At the end the kept pictures get an index."""
    yield
    if "ANJU_GALLERY" in os.environ:
        write_index(Path(os.environ["ANJU_GALLERY"]))


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    """What starts browsers; a process can have one only."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(driver: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium; `chromium.film` is the file its camera plays."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if program is None:
        pytest.fail("No Chromium: apt-get install chromium-headless-shell", pytrace=False)
    film = tmp_path_factory.mktemp("camera") / "film.mjpeg"
    browser = driver.chromium.launch(
        executable_path=program,
        args=[
            "--no-sandbox", "--enable-features=WebBluetooth",
            "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ],
    )  # fmt: skip
    browser.film = film
    yield browser
    browser.close()


class Phone:
    """One phone's browser; notes every console error and every request to a foreign host."""

    def __init__(self, browser: Any, base: str, name: str, width: int = 390) -> None:
        self.base, self.name = base, name
        self.context = browser.new_context(viewport={"width": width, "height": 844}, locale="zh-CN", base_url=base)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints = Complaints(self.page, base)
        self.hands = Hands()
        self.page.on("framenavigated", lambda frame: frame.parent_frame or self._meet_page())

    def begin_count(self) -> None:
        """What the hands do counts from this page on."""
        self.hands = Hands(pages=1)

    def _meet_page(self) -> None:
        self.hands.pages += 1

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """The system has its turn: this long the hands have nothing to do."""
        began = monotonic()
        yield
        self.hands.waited_seconds += monotonic() - began

    def tap(self, words: str) -> None:
        """Tap the button or link with these words, and be where it leads."""
        target = self.page.locator("main, .tabs").locator("button:visible, a:visible, summary:visible")
        self.touch(target.filter(has_text=words).first)

    def touch(self, target: Any) -> None:
        """Tap this, and be where it leads."""
        self.hands.taps += 1
        with self._waiting():
            target.click()
            self.page.wait_for_load_state()

    def press_enter(self) -> None:
        """The keyboard's own key for "search" or "go"."""
        self.hands.keys += 1
        self.page.keyboard.press("Enter")

    def fill(self, **answers: str) -> None:
        """Type into fields by their names; a radio or a select is chosen by its value.

        A list or a calendar takes two taps, the keyboard one: from one field of text to the next it leads by itself.
        """
        before = ""
        for name, value in answers.items():
            field = self.page.locator(f'main [name="{name}"]').first
            kind = field.evaluate("field => field.type")
            if kind in ("radio", "checkbox"):
                self.page.locator(f'main [name="{name}"][value="{value}"]').check()
            elif kind == "select-one":
                field.select_option(value)
            else:
                field.fill(value)
            written = kind not in ("radio", "checkbox", "select-one", "date")
            self.hands.fields += 1
            self.hands.keys += count_keys(value) if written else DATE_KEYS if kind == "date" else 0
            self.hands.taps += (before != "text") if written else 2 if kind in ("select-one", "date") else 1
            before = "text" if written else kind

    def sees(self, words: str, seconds: float = 20) -> None:
        """Wait until these words are to be seen."""
        self.awaits(self.page.locator("main").get_by_text(words).first, seconds)

    def awaits(self, target: Any, seconds: float = 20) -> None:
        """Wait until this is to be seen."""
        with self._waiting():
            target.wait_for(state="visible", timeout=seconds * 1000)

    def sign_in(self, number: str) -> None:
        """From the phone form to the page that was wished for."""
        self.fill(phone=number)
        self.tap("获取验证码")
        self.sees("输入验证码")
        with self._waiting():
            code = self.code(number)
        self.fill(code=code)
        self.tap("登录")

    def code(self, number: str) -> str:
        """The code as the demo's page of messages shows it; waits for the worker to send it."""
        for _ in range(60):
            with urlopen(f"{self.base}/demo/messages.json") as answer:
                for message in json.load(answer)["messages"]:
                    found = re.search(r"\b\d{6}\b", message["text"])
                    if message["phone"].endswith(number) and found is not None:
                        return found[0]
            self.page.wait_for_timeout(250)
        raise AssertionError(f"no code came to {number}")

    def wait_until(self, question: str) -> None:
        """Ask the page again and again until it says yes; its policy lets nobody else do that inside it."""
        for _ in range(200):
            if self.page.evaluate(question):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(question)

    def set_mode(self, language: str, elder: bool) -> None:
        """Language and elder mode as this device keeps them."""
        values = {"anju-lang": language, "anju-elder": "1" if elder else "0"}
        self.context.add_cookies([{"name": name, "value": value, "url": self.base} for name, value in values.items()])

    def look(self, name: str, least: float = 44) -> None:
        """Nothing hangs over the edge, every control is high enough; a picture for the gallery when one is kept."""
        self.page.wait_for_load_state()
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide} px"
        small = self.page.evaluate(SMALL_CONTROLS, least)
        assert not small, f"{name} has controls below {least} px: {small}"
        if "ANJU_GALLERY" in os.environ:
            self.page.screenshot(path=f"{os.environ['ANJU_GALLERY']}/{self.name}-{name}.png", full_page=True)


# Links inside running text are exempt (WCAG 2.2, 2.5.8); buttons, fields and standing links are not.
SMALL_CONTROLS = """(least) => [...document.querySelectorAll(
    'button, select, input:not([type=hidden]), a.button, a.item, a.back, .tabs a, summary')]
  .filter((each) => each.offsetParent !== null && !each.matches('.unseen'))
  .filter((each) => (each.closest('label') ?? each).getBoundingClientRect().height < least - 0.5)
  .map((each) => each.outerHTML.slice(0, 90))"""


@pytest.fixture
def phones(chromium: Any, base: str) -> Iterator[Callable[..., Phone]]:
    """Phones by name; at the end none of them may have had trouble."""
    made: list[Phone] = []

    def hand_out(name: str, width: int = 390) -> Phone:
        made.append(Phone(chromium, base, name, width))
        return made[-1]

    yield hand_out
    for phone in made:
        phone.context.close()
        phone.complaints.require_none()
