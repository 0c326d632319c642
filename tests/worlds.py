"""The world of the tests: every outside part replaced by the fake that lives beside it in product code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from backend.bootstrap import house_rules
from backend.config import Settings
from backend.domain.faces import FacePolicy, FaceVerdict
from backend.domain.movements import Challenge
from backend.gateways.clock import Clock
from backend.gateways.face_matcher import FakeFaceMatcher, Frame
from backend.gateways.fake_registry import FakeRegistryClient
from backend.gateways.file_shelf import DiskShelf
from backend.gateways.identity_authority import StandInAuthority
from backend.gateways.key_ring import FileKeyRing
from backend.gateways.network_identity import FakeNetworkIdentity
from backend.gateways.office_client import FakeOfficeClient
from backend.gateways.sms import DemoSms
from backend.gateways.tokens import FileTokens
from backend.gateways.world import World


class QuietWakeUp:
    """Remembers who would have been woken; nobody listens."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def notify(self, channel: str) -> None:
        """Note a wake-up."""
        self.woken.append(channel)

    def name_in_database(self, channel: str) -> str | None:
        """None: nobody but `notify` is to wake."""
        return None

    def listen(self, channel: str) -> QuietListener:
        """An ear that hears nothing."""
        return QuietListener()


class QuietListener:
    """Never woken, and does not wait for it either."""

    def wait(self, seconds: float) -> bool:
        """At once: nothing came."""
        return False

    def close(self) -> None:
        """Nothing to end."""


class ToldFaceMatcher(FakeFaceMatcher):
    """Also answers what a test sets later: `verdict`, `faults`, or `error` when there is one. Counts the questions."""

    def __init__(self, *answers: FaceVerdict | Exception) -> None:
        super().__init__(*answers)
        self.faults: tuple[str, ...] = ()
        self.error: Exception | None = None
        self.asked = self.looked = 0

    def verify(
        self, document: bytes, frames: Sequence[Frame], challenge: Challenge, policy: FacePolicy, now: datetime
    ) -> FaceVerdict:
        """The error raised, or the verdict set, or the next of the answers."""
        self.asked += 1
        if self.error is not None:
            raise self.error
        told: FaceVerdict | None = vars(self).get("verdict")
        return told or super().verify(document, frames, challenge, policy, now)

    def look_at_document(self, document: bytes, policy: FacePolicy) -> tuple[str, ...]:
        """The error raised, or the faults set."""
        self.looked += 1
        if self.error is not None:
            raise self.error
        return self.faults or super().look_at_document(document, policy)


def make_fake_world(settings: Settings, clock: Clock) -> World:
    """A world whose keys are real and lie in the test's folder, and whose outside parts are fakes."""
    folder = settings.keys_folder
    return World(
        house=house_rules(settings),
        clock=clock,
        key_ring=FileKeyRing(folder),
        tokens=FileTokens(folder),
        sms=DemoSms(settings.var / "demo" / "messages.jsonl"),
        faces=ToldFaceMatcher(),
        authority=StandInAuthority(),
        registry=FakeRegistryClient(clock.now()),
        wake_up=QuietWakeUp(),
        offices=FakeOfficeClient(),
        shelf=DiskShelf(settings.var / "uploads"),
        network_identity=FakeNetworkIdentity(),
    )
