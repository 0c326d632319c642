"""The house's own limits: what settings may tune without touching a rule of law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from backend.domain.appointments import OpeningHours
from backend.domain.spaces import AREA_PER_HEAD_M2, MOST_PER_ROOM, SpaceStandard


@dataclass(frozen=True)
class Handler:
    """The office that answers for the data: its name in both languages, and how to reach it (PIPL-17)."""

    zh: str
    en: str
    contact: str


DEMO_HANDLER = Handler("太湖街道居住服务中心（演示）", "Taihu Subdistrict Residence Office (demo)", "0572-0000000")


@dataclass(frozen=True)
class HouseRules:
    """Limits of one installation; every duration is a timedelta, every share a number between 0 and 1."""

    demo: bool = False
    handler: Handler = DEMO_HANDLER
    mobile_url: str = "http://127.0.0.1:8000"
    console_url: str = "http://localhost:8001"
    key_life_occupant: timedelta = timedelta(days=7)
    key_life_visitor: timedelta = timedelta(hours=24)
    outage_grace: timedelta = timedelta(days=30)
    draft_life: timedelta = timedelta(days=15)
    invitation_life: timedelta = timedelta(days=7)
    attestation_review: timedelta = timedelta(hours=72)
    command_life: timedelta = timedelta(seconds=15)
    code_life: timedelta = timedelta(minutes=5)
    code_resend: timedelta = timedelta(seconds=60)
    code_tries: int = 5
    page_session_idle: timedelta = timedelta(days=14)
    access_token_life: timedelta = timedelta(minutes=15)
    refresh_token_life: timedelta = timedelta(days=30)
    officer_idle: timedelta = timedelta(minutes=10)
    officer_session: timedelta = timedelta(hours=8)
    step_up_life: timedelta = timedelta(minutes=5)
    challenge_life: timedelta = timedelta(seconds=60)
    network_identity_life: timedelta = timedelta(minutes=5)
    opening_hours: OpeningHours = field(default_factory=OpeningHours)
    door_events_kept: timedelta = timedelta(days=30)
    person_reads_per_day: int = 30
    person_reads_by_role: Mapping[str, int] = field(default_factory=dict)
    letters_per_day: int = 200  # one page of the list of letters: the pile of an area's day
    print_font: str = ""  # file of the font for PDFs; empty: the first suitable one on the machine
    identity_kept: timedelta = timedelta(days=30)  # once nothing leads to a person who never declared any more
    area_per_head_m2: float = AREA_PER_HEAD_M2
    persons_per_room: int = MOST_PER_ROOM
    face_match_at_most: float = 0.40
    face_review_at_most: float = 0.55
    face_tries_before_person: int = 3

    @property
    def space_standard(self) -> SpaceStandard:
        """The standard of this installation's file: what counts until a supervisor has set another."""
        return SpaceStandard(self.area_per_head_m2, self.persons_per_room)

    def reads_of(self, role: str) -> int:
        """How many single persons an officer of a role may look at in a day."""
        return self.person_reads_by_role.get(role, self.person_reads_per_day)
