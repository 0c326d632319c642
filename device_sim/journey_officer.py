"""An officer's browser: signs in to the console, states a purpose, opens one unit; pages only, as a person would."""

from __future__ import annotations

import html
import re
from functools import partial

import httpx

from device_sim.journey_clients import trust_for
from device_sim.journey_teller import Stopped, Teller

LOGINS = ("officer", "grid", "supervisor")  # of the demo's staff: each may look at so many persons a day
PURPOSE = "address_check"
REGISTERED = "已登记"
_CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"|value="([^"]+)"[^>]*name="csrf_token"')


class Officer:
    """One browser session at the console."""

    def __init__(self, console: str, teller: Teller) -> None:
        self._console, self._teller = console, teller
        self._http = self._fresh()

    def look_at(self, unit_id: str, dwelling_id: str, name: str) -> tuple[str, str]:
        """Open the board and the unit's page; answers the officer's login and the unit's words on the board.

        Raises Stopped when the page cannot be opened or does not show `name`.
        """
        for login in LOGINS:
            self._http = self._fresh()
            self._sign_in(login)
            self._send("/task", {"purpose": PURPOSE})
            board = self._page(f"/ledger?dwelling={dwelling_id}")
            plate = _plate_of(board, unit_id)
            if REGISTERED not in plate:
                raise Stopped(1, f"台账上不是已登记 · the board does not show the unit as registered: {plate}")
            answer = self._http.get(f"/units/{unit_id}")
            if answer.status_code == 429:  # this officer's daily limit of looks is reached
                continue
            if answer.status_code != 200:
                raise Stopped(1, f"警员看不到房间页 · the unit's page answers {answer.status_code}")
            if name not in answer.text:
                raise Stopped(1, "房间页上没有租客 · the unit's page does not show the tenant")
            return login, plate
        raise Stopped(1, "所有演示警员今天的查看次数都已用完 · all demo officers have reached today's limit of looks")

    def _sign_in(self, login: str) -> None:
        used = ""
        while True:
            code, password = self._teller.wait("动态码 · one-time code", partial(self._codes, login, used), 60)
            fields = {"login": login, "password": password, "code": code}
            answer = self._send("/sign-in", fields, ok=(200, 302, 401, 422))
            if answer.status_code == 302:
                return
            if used:
                raise Stopped(1, f"警员登录失败 · the officer cannot sign in: {login}")
            used = code  # a code is good once: wait for the next one

    def _codes(self, login: str, used: str) -> tuple[str, str] | None:
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", self._page("/demo/codes")))
        password = re.search(r"[a-z]+-demo-\d{4}", html.unescape(text))
        code = re.search(rf"\b{login}\b.*?\b(\d{{3}} ?\d{{3}})\b", text)
        if password is None or code is None:
            raise Stopped(1, "演示动态码页读不到 · the demo's page of one-time codes cannot be read")
        digits = code[1].replace(" ", "")
        return None if digits == used else (digits, password[0])

    def _send(self, path: str, fields: dict[str, str], ok: tuple[int, ...] = (302, 303)) -> httpx.Response:
        found = _CSRF.search(self._page(path))
        if found is None:
            raise Stopped(1, f"{path} 没有 CSRF 令牌 · no CSRF token on the page")
        answer = self._http.post(path, data={**fields, "csrf_token": found[1] or found[2]})
        if answer.status_code not in ok:
            raise Stopped(1, f"{path}: {answer.status_code}")
        return answer

    def _page(self, path: str) -> str:
        answer = self._http.get(path)
        if answer.status_code != 200:
            raise Stopped(1, f"{self._console}{path}: {answer.status_code}")
        return answer.text

    def _fresh(self) -> httpx.Client:
        return httpx.Client(
            base_url=self._console, timeout=15, trust_env=False, verify=trust_for(self._console),
            headers={"Accept-Language": "zh-CN"},
        )  # fmt: skip


def _plate_of(board: str, unit_id: str) -> str:
    """The words of the unit's plate on the board."""
    found = re.search(rf'<a\b[^>]*/units/{unit_id}"[^>]*>(.*?)</a>', board, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", found[1])).split()) if found else ""
