"""The journey's side of HTTP: a phone app against the JSON API, the demo's message page, the simulator's control."""

from __future__ import annotations

import json
import os
import re
import ssl
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from device_sim.journey_teller import Stopped, Teller

SECONDS = 30.0  # a face check may take its time on a small machine


class Problem(Exception):
    """The API refused: the problem document."""

    def __init__(self, document: dict[str, Any], retry_after: int) -> None:
        super().__init__(document.get("code", "?"))
        self.code = str(document.get("code", "?"))
        self.document, self.retry_after = document, retry_after

    def words(self) -> str:
        """Reason and remedy as the API gave them."""
        where = f" ({self.document['field']})" if self.document.get("field") else ""
        rule = f" [{self.document['rule']}]" if self.document.get("rule") else ""
        return f"{self.document.get('detail', self.code)}{where}{rule} {self.document.get('remedy', '')}".strip()


@cache
def machine_trust() -> ssl.SSLContext:
    """Whom https addresses are believed: what this machine trusts, and the file SSL_CERT_FILE names (`demo --lan`)."""
    return ssl.create_default_context()


def trust_for(base: str) -> ssl.SSLContext | bool:
    """What a client of `base` verifies with; nothing over http, since a trust store takes time to load."""
    return machine_trust() if base.startswith("https://") else False


class Api:
    """One signed-in phone against /api/v1."""

    def __init__(self, base: str, teller: Teller) -> None:
        trust = trust_for(base)
        self._http = httpx.Client(base_url=f"{base}/api/v1", timeout=SECONDS, trust_env=False, verify=trust)
        self._demo = httpx.Client(base_url=base, timeout=SECONDS, trust_env=False, verify=trust)
        self._teller = teller
        self.refresh_token = ""

    def get(self, path: str, **query: Any) -> Any:
        """Ask; answers the JSON body."""
        return self._call("GET", path, params=query).json()

    def get_tagged(self, path: str) -> tuple[Any, str]:
        """Ask; answers the body and its ETag."""
        answer = self._call("GET", path)
        return answer.json(), answer.headers["ETag"]

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """Send; `key` makes a repeated request the same request."""
        headers = {"Idempotency-Key": key} if key else {}
        return self._call("POST", path, json=body if body is not None else {}, headers=headers).json()

    def put(self, path: str, body: dict[str, Any]) -> Any:
        """Put."""
        return self._call("PUT", path, json=body).json()

    def patch(self, path: str, body: dict[str, Any], tag: str) -> Any:
        """Change what was read under `tag`."""
        return self._call("PATCH", path, json=body, headers={"If-Match": tag}).json()

    def upload(self, path: str, fields: dict[str, str], files: list[tuple[str, tuple[str, bytes, str]]]) -> Any:
        """Send pictures."""
        return self._call("POST", path, data=fields, files=files).json()

    def sign_in(self, phone: str) -> None:
        """Sign in with a code, read from the demo's page as a person reads a text message."""
        while not self._signed_in(phone):
            self._teller.pause("验证码已失效，重新获取 · the code is gone, asking for another", 1)

    def _signed_in(self, phone: str) -> bool:
        before = len(self.messages(phone))
        while True:
            try:
                self._call("POST", "/auth/codes", json={"phone": phone})
                break
            except Problem as problem:
                if problem.code != "code.too_soon":
                    raise
                self._teller.pause("短信验证码一分钟一次 · one code a minute", problem.retry_after)
        text = self._teller.wait("短信验证码 · the code's message", lambda: self._newest(phone, before), 20)
        found = re.search(r"\d{6}", text)
        if found is None:
            raise Stopped(1, f"短信里没有验证码 · no code in the message: {text}")
        try:
            self._take(self._call("POST", "/auth/sessions", json={"phone": phone, "code": found[0]}).json())
        except Problem as problem:
            if problem.code != "code.expired":  # used up by a request whose answer was lost
                raise
            return False
        return True

    def resume(self, refresh_token: str) -> bool:
        """Go on with an earlier sign-in, as an app does that was closed; False when it has ended."""
        try:
            self._take(self._call("POST", "/auth/refresh", json={"refresh_token": refresh_token}).json())
        except Problem:
            return False
        return True

    def messages(self, phone: str) -> list[str]:
        """Texts of the messages to a phone, newest first."""
        answer = self._teller.patiently("演示短信页 · message page", lambda: self._demo.get("/demo/messages.json"))
        if answer.status_code != 200:
            raise Stopped(1, f"演示短信页不可用 · the demo's message page answers {answer.status_code}")
        rows = answer.json()
        rows = rows["messages"] if isinstance(rows, dict) else rows
        return [row["text"] for row in rows if row["phone"].replace(" ", "") == phone]

    def close(self) -> None:
        """Hang up."""
        self._http.close()
        self._demo.close()

    def _newest(self, phone: str, before: int) -> str | None:
        texts = self.messages(phone)
        return texts[0] if len(texts) > before else None

    def _take(self, tokens: dict[str, Any]) -> None:
        self.refresh_token = tokens["refresh_token"]
        self._http.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        # Sent again when the answer was lost: what creates something carries its key, the rest is repeatable.
        address = f"{self._http.base_url}{path.lstrip('/')}"
        answer = self._teller.patiently(address, lambda: self._http.request(method, path, **more))
        if answer.status_code >= 400:
            raise Problem(_json_of(answer), int(answer.headers.get("Retry-After", "0") or 0))
        return answer


class SimControl:
    """The hand at the simulated locks."""

    def __init__(self, base: str, teller: Teller) -> None:
        self._http = httpx.Client(base_url=base, timeout=10, trust_env=False)
        self._teller = teller

    def lock(self, lock_id: str) -> dict[str, Any]:
        """What the simulator shows of a lock."""
        return dict(self._call("GET", f"/_sim/locks/{lock_id}"))

    def connected(self) -> set[str]:
        """The locks that are online."""
        return {row["lock_id"] for row in self._call("GET", "/_sim/locks")["locks"] if row["connected"]}

    def touch(self, lock_id: str, action: str) -> None:
        """Do something to a lock."""
        self._call("POST", f"/_sim/locks/{lock_id}/{action}")

    def _call(self, method: str, path: str) -> Any:
        def ask() -> httpx.Response:
            return self._http.request(method, path, json={} if method == "POST" else None)

        return self._teller.patiently("门锁模拟器 · lock simulator", ask).raise_for_status().json()


class Memory:
    """What the journey's landlord keeps on his phone between two runs; mode 0600."""

    def __init__(self, var: Path, mobile: str) -> None:
        self._file = var / "sim" / "journey.json"
        self._mobile = mobile

    def load(self) -> str:
        """The refresh token of the last run against the same address, or nothing."""
        try:
            kept = json.loads(self._file.read_text())
        except (OSError, ValueError):
            return ""
        return str(kept["refresh_token"]) if kept.get("mobile") == self._mobile else ""

    def keep(self, refresh_token: str) -> None:
        """Keep the refresh token."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump({"mobile": self._mobile, "refresh_token": refresh_token}, file)


def _json_of(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        body = None
    return body if isinstance(body, dict) else {"code": str(answer.status_code), "detail": answer.text[:200]}
