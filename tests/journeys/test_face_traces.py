"""A hundred face checks against the whole demo, and then a search through everything it has: nothing biometric."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest

from backend.broker import hash_password, reload_broker
from backend.seeding import sample_number
from device_sim.journey_clients import Api, Problem
from device_sim.journey_teller import Teller
from tests.face_samples import burst, document, faceless_burst, somebody_else
from tests.journeys.village import Village
from tests.traces import family_of, files_in, open_files_of, traces_in

pytestmark = pytest.mark.release
CHECKS = 100
PATIENCE_SECONDS = 20.0
LOOKER, LAST = "looker", "looker/last"


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the demo's processes put temporary files; its name is short, for sockets may lie there."""
    with tempfile.TemporaryDirectory(prefix="anju-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.fixture
def village(tmp_path: Path, temporary: Path) -> Iterator[Village]:
    """The demo, all its processes."""
    started = Village(tmp_path / "var")
    yield started
    started.close()


class Tenant:
    """A signed-in phone that has agreed to the face check."""

    def __init__(self, village: Village, number: int) -> None:
        self.api = Api(f"http://127.0.0.1:{village.ports['mobile_port']}", Teller(as_json=True))
        self.api.sign_in(f"+861990000{9500 + number}")
        for text in self.api.get("/consent-texts"):
            self.api.put(f"/consents/{text['purpose']}", {"version": text["version"], "given": True})
        number_of_nobody = sample_number("330522", date(1990, 1, 1 + number))
        self.api.put("/me/identity", {"id_type": "111", "id_number": number_of_nobody, "name": "周来福"})

    def check(self, paper: bytes, frames: Any) -> str:
        """One check; answers the decision, or the code of the refusal."""
        asked = self.api.post("/identity/challenges", {"document_sha256": sha256(paper).hexdigest()})
        times = json.dumps([frame.at_ms for frame in frames])
        fields = {"challenge_id": asked["id"], "nonce": asked["nonce"], "times": times}
        files = [("document", ("document.jpg", paper, "image/jpeg"))]
        files += [("frames", (f"{n}.jpg", frame.jpeg, "image/jpeg")) for n, frame in enumerate(frames)]
        try:
            return str(self.api.upload("/identity/checks", fields, files)["decision"])
        except Problem as problem:
            return problem.code


def retained_messages(village: Village) -> list[tuple[str, bytes]]:
    """What the broker keeps: each retained message, seen by an account that may read everything."""
    folder = village.var / "broker"
    with (folder / "passwords").open("a") as passwords, (folder / "acl").open("a") as acl:
        passwords.write(f"{LOOKER}:{hash_password(LOOKER)}\n")
        acl.write(f"\nuser {LOOKER}\ntopic read #\ntopic write {LAST}\n")
    assert reload_broker(folder)
    kept, told = list[tuple[str, bytes]](), threading.Event()

    def on_message(_client: Any, _userdata: Any, message: paho.MQTTMessage) -> None:
        if message.topic == LAST:
            told.set()
        elif message.retain:
            kept.append((f"retained {message.topic}", message.payload))

    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=LOOKER)
    client.username_pw_set(LOOKER, LOOKER)
    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe("#")
    # The broker answers a subscription with all that is retained before it passes on what comes after it.
    client.on_subscribe = lambda *_: client.publish(LAST, b"{}")
    client.connect("127.0.0.1", village.ports["broker_port"])
    client.loop_start()
    assert told.wait(PATIENCE_SECONDS), "the broker did not pass on the last message"
    client.loop_stop()
    client.disconnect()
    return kept


def test_after_a_hundred_checks_nothing_of_a_face_is_anywhere(
    village: Village, tmp_path: Path, temporary: Path
) -> None:
    sent = [document(), somebody_else(), *(frame.jpeg for frame in burst())]
    decisions: Counter[str] = Counter()
    tenants = [Tenant(village, number) for number in range(2)]
    for number in range(CHECKS):
        who = tenants[number % 2]
        paper = somebody_else() if number in (10, 11, 30) else document()
        frames = faceless_burst() if number % 10 == 7 else burst()
        decisions[who.check(paper, frames)] += 1
    for one in tenants:
        one.api.close()
    assert decisions["match"] >= 5 and decisions["retake"] >= 20 and decisions["match"] + decisions["retake"] >= 95
    assert set(decisions) <= {"match", "retake", "no_match", "review"}, decisions
    assert village.count("anju.db", "SELECT count(*) FROM identity_checks WHERE method = :m", {"m": "face"}) >= CHECKS

    state = json.loads((village.var / "run" / "supervisor.json").read_text())
    family = {pid for process in state["processes"] if process["pid"] for pid in family_of(process["pid"])}
    kept = retained_messages(village)
    assert kept, "the locks' own messages are retained, so the search saw something"
    found = traces_in(files_in(tmp_path), sent) | traces_in(files_in(temporary), sent)
    found |= traces_in(open_files_of(family), sent) | traces_in(kept, sent)
    assert not found
