"""The main journey, played against running processes: HTTP for phones and staff, MQTT and near link for the door.

    python -m device_sim.journey [--mobile URL] [--console URL] [--registry URL] [--sim URL] [--broker HOST:PORT]
                                 [--document A.jpg] [--selfie B.jpg] [--json]

Exit status: 0 done (also when an undecided face went on by the landlord's attestation), 3 two different people,
4 pictures that cannot be used, 1 anything else, 2 wrong words. People and document numbers are invented.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from device_sim.faces import default_document, default_selfie
from device_sim.journey_clients import Problem, SimControl, trust_for
from device_sim.journey_face import DIFFERENT_PEOPLE, UNUSABLE_PICTURES, Pictures
from device_sim.journey_letting import Landlord
from device_sim.journey_living import Living
from device_sim.journey_moving_in import Tenant
from device_sim.journey_officer import PURPOSE, Officer
from device_sim.journey_people import new_tenant
from device_sim.journey_teller import Stopped, Teller
from device_sim.near_link import HOST
from device_sim.settings import SimSettings

LOCAL = "http://127.0.0.1"
START_SECONDS = 6
LARGEST_PICTURE = 10 * 1024 * 1024
WAY_WORDS = {
    "window": "到窗口当面核验 · in person at a window",
    "live_video": "预约视频核验 · live video with staff",
    "attestation": "请房东当面见证 · the landlord attests face to face",
    "network_identity": "国家网络身份认证 · national network identity",
}


class Journey:
    """One journey from the landlord's sign-in to the receipt of the move-out."""

    def __init__(self, options: argparse.Namespace, teller: Teller) -> None:
        self._options, self._teller = options, teller
        settings = SimSettings.from_environment()
        self._today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
        self._sim = SimControl(options.sim, teller)
        self._near = (HOST, settings.sim_near_port)
        self.landlord = Landlord(options.mobile, teller, self._sim, settings.var, self._today)
        self.tenant = Tenant(options.mobile, teller, new_tenant(), self._today)
        self.outcome: dict[str, Any] = {}

    def play(self, pictures: Pictures) -> None:
        """All scenes in their order. Raises Stopped or Problem."""
        landlord, tenant = self.landlord, self.tenant
        landlord.sign_in()
        landlord.identify()
        landlord.take_unit()
        landlord.take_lock()
        landlord.record_lease(tenant.person)
        landlord.invite()
        tenant.sign_in_and_accept()
        tenant.read_and_consent()
        tenant.enter_identity()
        decision = tenant.check_face(pictures)
        self.outcome["face"] = decision
        if decision != "match":
            landlord.attest()
        tenant.declare()
        tenant.await_key()
        self._live()

    def _live(self) -> None:
        landlord, tenant = self.landlord, self.tenant
        living = Living(tenant, self._sim, landlord.let.lock_id, self._near, self._teller)
        living.open_over_mqtt()
        living.open_without_network()
        qr = living.await_receipt(self._options.registry)
        self._officer_looks()
        landlord.extend()
        living.move_out(self._today)
        self.outcome["checkout_receipt_no"] = living.await_checkout_receipt()
        self.outcome["receipt"] = qr
        self.outcome["registration_id"], self.outcome["key_id"] = tenant.registration_id, tenant.key_id

    def _officer_looks(self) -> None:
        let = self.landlord.let
        with self._teller.step("派出所台账看到已登记", "the precinct's board shows the unit registered") as notes:
            browser = Officer(self._options.console, self._teller)
            login, row = self._teller.patiently(
                "警务后台 · console", lambda: browser.look_at(let.unit_id, let.dwelling_id, self.tenant.person.name)
            )
            notes.append(row)
        with self._teller.step("租客看到谁看过", "the tenant sees who looked") as notes:
            look = self._teller.wait("访问记录 · access record", self._look, 10)
            seen = ", ".join(look["fields"])
            notes.append(f"{login}: {look['office']}  {look['badge']}  {look['purpose']}  ({seen})")

    def _look(self) -> Any:
        items = self.tenant.api.get("/me/access-records")["items"]
        return next((item for item in items if item["actor"] == "officer" and item["purpose"] == PURPOSE), None)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play once; answers the exit status."""
    options = parse(arguments)
    teller = Teller(as_json=options.json)
    try:
        pictures = Pictures(_picture(options.document, default_document), _picture(options.selfie, default_selfie))
        _check_processes(options, teller)
        journey = Journey(options, teller)
        return _play(journey, pictures, teller)
    except Stopped as stopped:
        return _finish(teller, stopped)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the lines has gone; nothing more can be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="journey", description="Plays the main journey against running processes.")
    for name, port in (("mobile", 8000), ("console", 8001), ("registry", 8002), ("sim", 8003)):
        parser.add_argument(f"--{name}", default=f"{LOCAL}:{port}", help=f"address (default {LOCAL}:{port})")
    parser.add_argument("--broker", default=f"{HOST}:1883", help="MQTT broker, HOST:PORT")
    parser.add_argument("--document", type=Path, help="picture of the document's portrait side")
    parser.add_argument("--selfie", type=Path, help="picture of the person before the phone")
    parser.add_argument("--json", action="store_true", help="JSON on standard output, progress on standard error")
    options = parser.parse_args(arguments)
    for name in ("mobile", "console", "registry", "sim"):
        setattr(options, name, getattr(options, name).rstrip("/"))
    return options


def _play(journey: Journey, pictures: Pictures, teller: Teller) -> int:
    try:
        journey.play(pictures)
    except Problem as problem:
        return _finish(teller, Stopped(1, problem.words()), problem=problem.document)
    except Stopped as stopped:
        if stopped.status in (DIFFERENT_PEOPLE, UNUSABLE_PICTURES):
            journey.landlord.wind_down()
        return _finish(teller, stopped)
    except httpx.HTTPError as error:
        return _finish(teller, Stopped(1, f"一个进程没有回答 · a process does not answer: {error}"))
    if not teller.as_json:
        teller.say(f"\n登记凭证 · receipt (./anju receipt verify)\n{journey.outcome['receipt']}")
    return teller.finish(0, **journey.outcome)


def _finish(teller: Teller, stopped: Stopped, **more: Any) -> int:
    ways = [WAY_WORDS.get(way, way) for way in stopped.ways]
    return teller.finish(stopped.status, reason=stopped.reason, other_ways=ways, **more)


def _picture(file: Path | None, default: Any) -> bytes:
    if file is None:
        return bytes(default())
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Stopped(1, f"读不到照片 · the picture cannot be read: {file} ({error.strerror})") from None
    if len(content) > LARGEST_PICTURE:
        raise Stopped(UNUSABLE_PICTURES, f"照片超过 10 MB · the picture is larger than 10 MB: {file}")
    return content


def _check_processes(options: argparse.Namespace, teller: Teller) -> None:
    """Look for every process, a few seconds long since one may just be starting. Raises Stopped naming the first."""
    until = time.monotonic() + START_SECONDS
    addresses = {getattr(options, name): _answers for name in ("mobile", "console", "registry", "sim")}
    addresses[options.broker] = _listens
    for address, is_well in addresses.items():
        while not is_well(address):
            if time.monotonic() > until:
                raise Stopped(1, f"{address} 没有运行 · does not run or is not well: start it with `./anju demo`")
            teller.pause(f"等待 · waiting for {address}", 1)


def _answers(address: str) -> bool:
    try:
        answer = httpx.get(f"{address}/healthz", timeout=5, trust_env=False, verify=trust_for(address))
        return answer.status_code == 200
    except httpx.HTTPError:
        return False


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except (OSError, ValueError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
