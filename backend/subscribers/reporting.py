"""The way back: an office files a lease, knows that somebody became local, renumbers a house, and reports it.

Noted first, then sent until the door has answered, under one id and one body: a lost answer, a kill or a door that is
down repeats a report and never makes a second one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx

from backend.subscribers.directory import HOUSING, OFFICES
from backend.subscribers.settings import SubscriberSettings
from backend.subscribers.store import Report, Store
from backend.wire.cloud_events import CONTENT_TYPE, CloudEvent, schema_of
from backend.wire.jwk import private_key_from_pem, thumbprint
from backend.wire.office_calls import SIGNATURE_HEADER, SUBSCRIBER_HEADER, TIME_HEADER, reporter_of, signing_input
from backend.wire.registry_messages import read_time, write_time
from backend.wire.tokens import sign_detached

log = logging.getLogger(__name__)

FILED_ON = ("cn.anju.lease.recorded", "cn.anju.lease.extended")
SETTLED = frozenset({"counted", "refused", "unmatched"})


class Reporter:
    """Reports of all offices; each call is signed with that office's own key."""

    def __init__(
        self,
        settings: SubscriberSettings,
        store: Store,
        clock: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self._client = httpx.Client(timeout=5, trust_env=False, follow_redirects=False, transport=transport)
        self._wanted = threading.Event()

    def heard(self, office: str, event: CloudEvent) -> None:
        """The housing authority files what it hears of a lease, once (HR-8)."""
        if office != HOUSING.name or event.type not in FILED_ON:
            return
        lease_id = event.subject.removeprefix("lease/")
        now = self._clock()
        data = {
            "lease.reference": lease_id,
            "lease.filing_no": f"备{now:%Y}-{lease_id[-12:].upper()}",
            "lease.filed_on": write_time(now)[:10],
        }
        if "unit.public_number" in event.data:
            data["unit.public_number"] = str(event.data["unit.public_number"])
        self.note(office, lease_id, data)

    def note(self, office: str, about: str, data: dict[str, str]) -> bool:
        """Note a change to report; False when the same was noted before."""
        noted = self._store.add_report(office, str(uuid4()), OFFICES[office].reports, about, data, self._clock())
        self._wanted.set()
        return noted

    def send_waiting(self) -> int:
        """Send what is noted; answers how many the door has taken or refused for good."""
        return sum(self._send(report) for report in self._store.reports(waiting=True))

    def look_again(self, office: str) -> None:
        """Ask the door what became of an office's reports, and for its agreement."""
        for report in self._store.reports(office=office):
            if report.change is not None and report.state not in SETTLED:
                answer = self._call(office, "GET", f"/v1/changes/{report.change}")
                if answer is not None and answer.status_code == 200:
                    self._store.settle(report.id, str(answer.json()["state"]), None)
        answer = self._call(office, "GET", "/v1/agreement")
        if answer is not None and answer.status_code == 200:
            self._store.keep_agreement(office, answer.json())

    def run(self, stopping: threading.Event, every_seconds: float = 2.0) -> None:
        """Send whenever something was noted, and again after a while; until told to stop."""
        while not stopping.is_set():
            try:
                self.send_waiting()
            except Exception as error:  # the text may carry what is reported
                log.error("reporting failed: %s", type(error).__name__)
            self._wanted.wait(every_seconds)
            self._wanted.clear()

    def _send(self, report: Report) -> bool:
        agreement = self._agreement(report.office)
        if agreement is None:
            return False
        body = report.body or self._store.keep_body(report.id, _event(report, agreement))
        answer = self._call(report.office, "POST", "/v1/changes", body)
        if answer is None or answer.status_code in (401, 429) or answer.status_code >= 500:
            return False  # for now: the clock, the cap, or the door
        if answer.status_code == 202:
            said = answer.json()
            self._store.settle(report.id, str(said["state"]), str(said["change"]))
            return True
        log.warning("a report of %s was refused: %s", report.office, answer.json().get("code"))
        self._store.settle(report.id, "refused", None)
        return True

    def _agreement(self, office: str) -> str | None:
        """The id of the agreement in force: asked for each time, since a new version has another."""
        answer = self._call(office, "GET", "/v1/agreement")
        if answer is None or answer.status_code != 200:
            return None
        content: dict[str, Any] = answer.json()
        self._store.keep_agreement(office, content)
        return str(content["id"])

    def _call(self, office: str, method: str, target: str, body: bytes = b"") -> httpx.Response | None:
        try:
            key = private_key_from_pem((self._settings.keys / f"{office}.pem").read_bytes())
        except (OSError, ValueError):
            return None  # the agreements are not seeded yet
        at = self._clock()
        signed = sign_detached(signing_input(office, method, target, at, body), key, thumbprint(key.public_key()))
        headers = {SUBSCRIBER_HEADER: office, TIME_HEADER: write_time(at), SIGNATURE_HEADER: signed}
        if body:
            headers["Content-Type"] = CONTENT_TYPE
        try:
            return self._client.request(method, self._settings.door_url + target, content=body, headers=headers)
        except httpx.HTTPError:
            return None


def _event(report: Report, agreement_id: str) -> CloudEvent:
    return CloudEvent(
        id=report.id,
        source=reporter_of(report.office),
        type=report.type,
        subject=report.type.split(".")[2],
        time=read_time(report.made_at),
        dataschema=schema_of("inbound"),
        agreement=agreement_id,
        data=report.data,
    )
