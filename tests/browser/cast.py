"""Everybody who uses the phone pages, each at one stage of Anju, made through the services and not by clicking.

One landlord lets many rooms, one to each tenant of the cast; two further landlords have one room and none. A stage is
one function below; what it leaves behind is reached by its name: `cast["registered"].home`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.db import transaction
from backend.domain.notices import NOTICES
from backend.gateways.world import World
from backend.models.lock_events import LockEvent
from backend.seeding import sample_number
from backend.services import (
    access_records,
    appointments,
    consents,
    disclosures,
    erasures,
    exemptions,
    foreign_paths,
    help_requests,
    household_children,
    households,
    identity_reviews,
    invitations,
    keys,
    leases,
    lock_reports,
    look_questions,
    office_names,
    own_imports,
    registrations,
    sign_ins,
    units,
    visitor_keys,
)
from backend.services.guardians import enter_child
from backend.services.import_work import work_on_imports
from backend.services.lock_manifests import import_locks
from backend.services.persons import enter_identity
from backend.services.reports import file_report
from backend.services.turns import TurnHolder
from backend.wire.jwk import jwk_of, make_private_key
from backend.worker.registry_loop import process_once
from device_sim.identities import make_identity
from tests.services import letting, reporting_cases, staff, stories
from tests.services.reports import make_birth
from tests.services.test_lease_imports import HEAD, line

HUKOU = "341822"


@dataclass
class Person:
    """One member of the cast: the sign-in of a browser, and the ids that stand in the addresses of their pages."""

    name: str
    account: str = ""
    sid: str = ""
    secret: str = ""
    number: str = ""
    phone: str = ""
    unit: str = ""
    dwelling: str = ""
    door: str = ""  # the room's public number
    lease: str = ""
    home: str = ""
    key: str = ""
    token: str = ""
    lock: str = ""
    other: str = ""  # a child, a member of the household or a visitor's key
    again: str = ""  # a second one
    report: str = ""  # what they have reported
    asked: str = ""  # their request for help


class Cast:
    """Makes the people in the order of STAGES, in one database."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._people: dict[str, Person] = {}
        self._many = self._landlord("many", 1)
        for stage in STAGES:
            stage(self)
        process_all(world)
        for person in self._people.values():
            self._sign_in(person)

    def __getitem__(self, name: str) -> Person:
        return self._people[name]

    @property
    def day(self) -> date:
        """Today in the cast's world."""
        return self.world.clock.today()

    def add(self, name: str) -> Person:
        """A new member with an account of an own phone."""
        number = len(self._people) + 1
        person = Person(name, phone=f"+86199000077{number:02d}")
        person.number = sample_number(HUKOU, date(1990, 1, 1) + timedelta(days=31 * number))
        person.account = stories.make_account(self.world, person.phone)
        self._people[name] = person
        return person

    def _landlord(self, name: str, day: int) -> Person:
        person = self.add(name)
        number = sample_number("330522", date(1965, 2, day))
        enter_identity(self.world, account_id=person.account, id_type="111", id_number=number, name="沈安一")
        return person

    def let(self, name: str, *, lock: bool = True, number: str | None = None, id_type: str = "111", **terms: Any
            ) -> Person:  # fmt: skip
        """A tenant-to-be: a room of the many, a lock at its door, a lease, an open invitation."""
        person = self.add(name)
        number = number or person.number
        self._give_room(person, self._many.account, lock)
        values = {
            "kind": "room", "starts_on": self.day, "ends_on": self.day + timedelta(days=365), "alias": "小周",
            "tenant_name": "周来福", "tenant_id_type": id_type, "tenant_id_number": number,
            "tenant_phone": person.phone, **terms,
        }  # fmt: skip
        made = leases.record_lease(self.world, account_id=self._many.account, unit_id=person.unit, **values)
        person.lease, person.home, person.key = made.lease_id, made.registration_id, made.key_id or ""
        self.invite(person)
        return person

    def invite(self, person: Person) -> None:
        """A fresh link for a lease."""
        link = invitations.invite_tenant(self.world, account_id=self._many.account, lease_id=person.lease).link
        person.token = link.rsplit("/", 1)[1]

    def _give_room(self, person: Person, landlord: str, lock: bool) -> None:
        door = len(self._people)
        person.dwelling, rooms = stories.make_dwelling(self.world, door)
        person.unit, person.door = rooms[0], f"U-TEST{door:02d}01"
        units.claim_unit(self.world, account_id=landlord, unit_id=person.unit, right_kind="owner",
                         evidence="不动产权证书")  # fmt: skip
        if lock:
            identity = make_identity(7, door)
            import_locks(self.world, [identity.public_part()])
            units.claim_lock(self.world, account_id=landlord, unit_id=person.unit, claim_code=identity.claim_code)
            person.lock = identity.lock_id

    def accept(self, name: str, **terms: Any) -> Person:
        """The same, with the invitation accepted on the own phone."""
        person = self.let(name, **terms)
        jwk = jwk_of(make_private_key().public_key())
        made = invitations.accept_invitation(self.world, account_id=person.account, token=person.token, phone_jwk=jwk)
        person.key = made.key_id
        return person

    def identify(self, name: str, **terms: Any) -> Person:
        """The same, with the notice read and the document entered."""
        person = self.accept(name, **terms)
        stories.read_notice(self.world, person.account)
        enter_identity(self.world, account_id=person.account, id_type="111", id_number=person.number, name="周来福")
        return person

    def declare(self, name: str, **terms: Any) -> Person:
        """The same, declared."""
        person = self.identify(name, **terms)
        registrations.declare(self.world, account_id=person.account, registration_id=person.home, move_in_on=self.day,
                              hukou_division=HUKOU)  # fmt: skip
        return person

    def activate(self, name: str, **terms: Any) -> Person:
        """The same, with the identity verified: the key is active."""
        person = self.declare(name, **terms)
        stories.verify_at_window(self.world, person.account)
        return person

    def _sign_in(self, person: Person) -> None:
        with transaction() as session:
            made = sign_ins.open_session(self.world, session, person.account, "page", "walker")
            person.sid, person.secret = made.session_id, made.secret


def process_all(world: World) -> None:
    """Let everything that is due go to the registry and come back."""
    while process_once(world, sleep=lambda _: None):
        pass


# -- stages -----------------------------------------------------------------------------------------------------------


def nothing_yet(cast: Cast) -> None:
    """Signed in for the first time: a landlord without a name, a tenant without a home."""
    cast.add("newcomer")


def one_room(cast: Cast) -> None:
    """A landlord with one room, no lock, no lease; and a second room of the house that nobody claimed."""
    person = cast._landlord("few", 2)
    cast._give_room(person, person.account, lock=False)


def invited(cast: Cast) -> None:
    """The link has come and was not opened."""
    cast.let("invited")


def over(cast: Cast) -> None:
    """An invitation that was taken back."""
    person = cast.let("cancelled")
    invitations.cancel_invitation(cast.world, account_id=cast["many"].account, lease_id=person.lease)


def before_the_face(cast: Cast) -> None:
    """Accepted; notice read; document entered; face consented to; three stages, the last with the consent."""
    cast.accept("accepted")
    person = cast.accept("noticed")
    stories.read_notice(cast.world, person.account)
    cast.identify("identified")
    person = cast.identify("consented")
    stories.read_notice(cast.world, person.account, "face_check")


def with_a_person(cast: Cast) -> None:
    """Wants to be identified at the window and has a time there."""
    person = cast.identify("reviewed")
    identity_reviews.ask_a_person(cast.world, account_id=person.account, way="window")
    slot = next(one for one in appointments.offered_slots(cast.world, account_id=person.account) if one.free)
    appointments.choose_slot(cast.world, account_id=person.account, way="window", starts_at=slot.starts_at)


def declared(cast: Cast) -> None:
    """Declared, identity open; and one whom the registry will refuse."""
    cast.declare("declared")
    registry: Any = cast.world.registry
    registry.refused[cast.activate("rejected").home] = ("1102", "/payload/hukou_division")


def registered(cast: Cast) -> None:
    """Everything done: receipt, active key, a lock online, the right to let seen; a child and a spouse live along."""
    person = cast.activate("registered")
    letting.make_seen(cast.world, person.unit)
    lock_reports.record_birth(cast.world, person.lock, make_birth(person.lock))
    here = {"account_id": person.account, "registration_id": person.home}
    stay = {"move_in_on": cast.day, "hukou_division": HUKOU}
    number = sample_number(HUKOU, date(1991, 8, 9))
    person.again = households.add_co_resident(
        cast.world, **here, **stay, relation="spouse", name="郑小芳", id_type="111", id_number=number, told=True
    ).registration_id
    text = NOTICES["registration_notice"].version
    child = sample_number(HUKOU, date(2015, 3, 4))
    person.other = enter_child(cast.world, account_id=person.account, name="周小福", id_type="111", id_number=child,
                               relation="mother", notice_version=text).person_id  # fmt: skip
    another = sample_number(HUKOU, date(2013, 3, 4))
    second = enter_child(cast.world, account_id=person.account, name="周小安", id_type="111", id_number=another,
                         relation="mother", notice_version=text).person_id  # fmt: skip
    household_children.declare_child(cast.world, **here, **stay, child_id=second)


def visitors(cast: Cast) -> None:
    """A home with a landlord's visitor that waits for consent, and a guest whose key works."""
    host, guest = cast.activate("host"), cast.add("visitor")
    last = cast.day + timedelta(days=3)
    visit: dict[str, Any] = {"unit_id": host.unit, "starts_on": cast.day, "ends_on": last, "uses": 3}
    asked = visitor_keys.issue_visitor_key(cast.world, account_id=cast["many"].account, purpose="repair",
                                           phone="+8619900007799", **visit)  # fmt: skip
    made = visitor_keys.issue_visitor_key(cast.world, account_id=host.account, purpose="cleaning", phone=guest.phone,
                                          **visit)  # fmt: skip
    host.other, host.again, guest.key = asked.key.id, made.key.id, made.key.id
    assert made.invitation is not None
    guest.token = made.invitation.link.rsplit("/", 1)[1]
    invitations.accept_invitation(cast.world, account_id=guest.account, token=guest.token,
                                  phone_jwk=jwk_of(make_private_key().public_key()))  # fmt: skip


def keys_that_do_not_work(cast: Cast) -> None:
    """Suspended by its holder; and the months before a lease begins."""
    person = cast.activate("suspended")
    keys.suspend_key(cast.world, account_id=person.account, key_id=person.key)
    cast.activate("early", starts_on=cast.day + timedelta(days=7))


def on_the_way_out(cast: Cast) -> None:
    """Checked out; the landlord says left and the tenant has not answered; both disagree."""
    person = cast.activate("moved_out")
    process_all(cast.world)
    registrations.check_out(cast.world, account_id=person.account, registration_id=person.home, moved_out_on=cast.day,
                            reason="lease_end")  # fmt: skip
    for name in ("ending", "disputed"):
        person = cast.activate(name)
        leases.end_lease(cast.world, account_id=cast["many"].account, lease_id=person.lease, ended_on=cast.day)
    registrations.answer_still_here(cast.world, account_id=person.account, registration_id=person.home)


def other_paths(cast: Cast) -> None:
    """Exempt; a foreigner with the form in hand; a child with an own lease."""
    person = cast.identify("exempt")
    exemptions.declare_exempt(cast.world, account_id=person.account, registration_id=person.home,
                              exemption="school", move_in_on=cast.day, hukou_division=HUKOU)  # fmt: skip
    person = cast.accept("foreign", id_type="414", number="E0000001")
    stories.read_notice(cast.world, person.account)
    enter_identity(cast.world, account_id=person.account, id_type="414", id_number="E0000001", name="ZHOU LAIFU",
                   birth_on=date(1990, 1, 2))  # fmt: skip
    registrations.declare(cast.world, account_id=person.account, registration_id=person.home, move_in_on=cast.day)
    foreign_paths.hand_out_foreign_form(cast.world, account_id=person.account, registration_id=person.home)
    number = sample_number(HUKOU, date(2012, 3, 4))
    person = cast.accept("child", number=number)
    stories.read_notice(cast.world, person.account)
    enter_identity(cast.world, account_id=person.account, id_type="111", id_number=number, name="周来福")


def a_co_tenant(cast: Cast) -> None:
    """A second tenant under the same lease terms, with an own key."""
    first = cast.activate("first")
    person = cast.add("co_tenant")
    made = leases.record_lease(
        cast.world, account_id=cast["many"].account, unit_id=first.unit, kind="room", starts_on=cast.day,
        ends_on=cast.day + timedelta(days=365), alias="小吴", tenant_name="吴友", tenant_id_type="111",
        tenant_id_number=person.number, tenant_phone=person.phone, joint_with=first.lease,
    )  # fmt: skip
    person.unit, person.lease, person.home = first.unit, made.lease_id, made.registration_id
    cast.invite(person)


def a_list(cast: Cast) -> None:
    """The many's list of tenants was uploaded and looked through: one row would be done, one has a fault."""
    rows = line(unit=cast["first"].door) + line(unit="U-NOWHERE1")
    made = own_imports.upload_leases(cast.world, account_id=cast["many"].account, name="租客.csv",
                                     content=(HEAD + rows).encode())  # fmt: skip
    cast["many"].other = made.id
    turn = TurnHolder(cast.world, "imports")
    work_on_imports(cast.world, turn)
    turn.give_up()


def rights_used(cast: Cast) -> None:
    """Looked at by an officer, and asked about it once; and one who has moved out and wants everything deleted."""
    person = cast.activate("looked_at")
    office_names.name_office(cast.world, zh="太湖派出所", en="Taihu police station")
    session_id = staff.make_session(cast.world, "officer", purpose="case", case_number="A330522-77")
    for _ in range(2):
        disclosures.open_unit(cast.world, session_id=session_id, unit_id=person.unit)
    looks = access_records.my_access_records(cast.world, account_id=person.account).items
    person.again, person.other = (look.id for look in looks[:2])
    look_questions.ask_about_look(cast.world, account_id=person.account, record_id=person.other, question="why")
    came_home(cast.world, person.lock, person.key)
    person = cast.activate("leaving")
    process_all(cast.world)
    registrations.check_out(cast.world, account_id=person.account, registration_id=person.home, moved_out_on=cast.day,
                            reason="lease_end")  # fmt: skip
    process_all(cast.world)
    stories.read_notice(cast.world, person.account, "face_check")
    consents.withdraw_consent(cast.world, account_id=person.account, purpose="face_check")
    erasures.ask_erasure(cast.world, account_id=person.account)


def came_home(world: World, lock_id: str, key_id: str | None, days: float = 0, seq: int = 1) -> None:
    """The lock has told that this key opened it so many days ago."""
    at = world.clock.now() - timedelta(days=days)
    with transaction() as session:
        session.add(LockEvent(lock_id=lock_id, seq=seq, at=at, kind="lock.unlocked", key_id=key_id, text="{}",
                              hash=b"h" * 32, received_at=at))  # fmt: skip
def reports(cast: Cast) -> None:
    """The registered tenant has reported something that waits; the host's was answered, and help asked for."""
    cast["registered"].report = file_report(
        cast.world, account_id=cast["registered"].account, unit_no=cast["registered"].door, kind="lock_trouble",
        facts=["keypad"], words="按键盘没有反应。", call_back=True,
    ).id  # fmt: skip
    host = cast["host"]
    made = file_report(cast.world, account_id=host.account, unit_no=host.door, kind="unsafe_dwelling",
                       facts=["wires_bare"], words="插座旁的电线露在外面。")  # fmt: skip
    reporting_cases.answer(cast.world, reporting_cases.make_crew(cast.world, "walker"), made.reference)
    host.report = made.id
    help_requests.choose_help_contact(cast.world, account_id=host.account, phone="+8619900007788", with_address=True)
    host.asked = help_requests.ask_for_help(cast.world, account_id=host.account, registration_id=host.home).id


STAGES: tuple[Callable[[Cast], None], ...] = (
    nothing_yet,
    one_room,
    invited,
    over,
    before_the_face,
    with_a_person,
    declared,
    registered,
    visitors,
    keys_that_do_not_work,
    on_the_way_out,
    other_paths,
    a_co_tenant,
    a_list,
    rights_used,
    reports,
)
