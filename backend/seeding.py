"""The sample village of the demo: 太湖街道陈塘村 with sample codes and invented people, made through the services.

Everything is told as a story over the last weeks: the clock is set to the day of each step, so that deadlines,
receipts and audit leaves are what they would be. The village's 12-digit code is a sample; numbers of documents use the
sequence 000, which is never issued.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from stdnum.iso7064 import mod_11_2

from backend.db import reading, transaction
from backend.domain.addresses import COLUMNS, REQUIRED
from backend.domain.calendars import CHINA
from backend.domain.notices import NOTICES
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.table_files import read_table_file
from backend.gateways.world import World
from backend.models.dwellings import Dwelling
from backend.models.leases import Lease
from backend.models.officers import Officer
from backend.models.registrations import Registration
from backend.models.units import Unit
from backend.seeding_loop import Loop
from backend.seeding_offices import seed_agreements
from backend.services.addresses import import_addresses
from backend.services.audit import Actor
from backend.services.consents import answer_consent
from backend.services.identity_reviews import ask_a_person
from backend.services.identity_states import settle_identity
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.leases import end_lease, record_lease
from backend.services.lock_manifests import import_locks
from backend.services.office_names import name_office
from backend.services.officers import DEMO_PASSWORD, create_officer
from backend.services.persons import enter_identity
from backend.services.registrations import answer_still_here, declare
from backend.services.sign_ins import find_or_make_account
from backend.services.units import claim_lock, claim_unit
from backend.wire.jwk import jwk_of, make_private_key

VILLAGE = "330522003900"  # a sample code under the street 330522003: the village's own is not published here
NEXT_VILLAGE = "330522003901"  # a second sample code, of a village that exists in the demo alone
AREA = "330522003"
ADDRESS_BASE = Path(__file__).with_name("sample_address_base.csv")
LANDLORDS = ("沈安一", "钱安二", "陆安三", "闵安四", "费安五", "臧安六")
TENANTS = (
    "周来福", "吴远行", "郑新居", "王小满", "冯立夏", "陈白露", "褚秋分", "卫寒露", "蒋霜降", "韩立冬",
    "杨小雪", "朱大雪", "秦冬至", "尤小寒", "许大寒", "何立春", "吕雨水", "施惊蛰", "张春分", "孔清明",
)  # fmt: skip
HUKOU = ("341822", "411522", "522401", "362330", "610722", "420982", "532128", "341226")
OFFICERS = (
    ("supervisor", "supervisor", "所长丁", "太湖派出所", AREA),
    ("deputy", "supervisor", "副所长戊", "太湖派出所", AREA),  # an agreement with another office takes two of them
    ("officer", "officer", "民警甲", "太湖派出所", AREA),
    ("clerk", "window_clerk", "窗口己", "太湖派出所", AREA),
    ("auditor", "auditor", "审计员庚", "长兴县审计组", AREA),
    ("grid", "grid_worker", "网格员乙", "陈塘村网格", VILLAGE),
    ("reviewer", "reviewer", "核验员丙", "流动人口服务中心", AREA),
)
OFFICE_NAMES = {
    "太湖派出所": "Taihu police station",
    "陈塘村网格": "Chentang village grid",
    "流动人口服务中心": "Service centre for residents from elsewhere",
    "省登记中心": "Provincial registration centre",
}
STAFF_SINCE = 160  # days: before the address base was imported
TOLD_WITHIN = timedelta(minutes=15)
LOCKS_ONLINE, LOCKS_OFFLINE = 8, 2  # the fleet keeps its last two locks offline


@dataclass(frozen=True)
class _Story:
    """One tenant's tale: how far it goes and when it began (days ago)."""

    ends: str
    began: int


STORIES = (
    *(_Story("registered", 40 - 2 * n) for n in range(12)),
    _Story("out_of_scope", 20),
    _Story("foreign", 10),
    _Story("overdue", 9),
    _Story("overdue", 7),
    _Story("overdue", 12),
    _Story("disputed", 75),
    _Story("under_review", 1),
    _Story("invited", 0),
)

# Whom the grid worker visits on the demo's first day: a tenant who is late, and a room in which nobody is registered.
ROUND_OVERDUE, ROUND_EMPTY = 14, 21
RIGHTS_UNSEEN = (2, 19)  # a room of the first landlord, and that of the invitation nobody has answered yet


def landlord_phone(number: int) -> str:
    """Phone of landlord `number` (from 1)."""
    return f"+861990000{number:04d}"


def tenant_phone(number: int) -> str:
    """Phone of tenant `number` (from 1)."""
    return f"+861990001{number:04d}"


def sample_number(division: str, birth_on: date) -> str:
    """An identity number with the sequence 000, which is never issued, and its right check digit (GB 11643)."""
    body = f"{division}{birth_on:%Y%m%d}000"
    return body + mod_11_2.calc_check_digit(body)


def demo_sign_ins() -> list[dict[str, str]]:
    """Who can sign in to the demo, for the launcher and the README."""
    rows = [{"door": "landlord", "sign_in": landlord_phone(n)[3:], "who": name} for n, name in enumerate(LANDLORDS, 1)]
    rows += [
        {"door": "tenant", "sign_in": tenant_phone(n)[3:], "who": f"{name} ({STORIES[n - 1].ends})"}
        for n, name in enumerate(TENANTS, 1)
    ]
    rows += [
        {"door": "console", "sign_in": login, "who": f"{name} ({role})", "password": DEMO_PASSWORD}
        for login, role, name, _office, _area in OFFICERS
    ]
    return rows


def seed_demo(world: World, var: Path, receivers: dict[str, str] | None = None) -> bool:
    """Make the sample village unless it is there; answers whether it was made.

    `receivers`: where other offices take deliveries, by name; the others fetch.

    Needs VAR/sim/manifest.json and stickers.json (`python -m device_sim manifest`).
    """
    with reading() as session:
        if session.scalar(select(Officer.id).where(Officer.login == OFFICERS[-1][0])) is not None:
            return False
    manifest = json.loads((var / "sim" / "manifest.json").read_text())["locks"]
    stickers = json.loads((var / "sim" / "stickers.json").read_text())["stickers"]
    import_locks(world, manifest)
    for zh, en in OFFICE_NAMES.items():
        name_office(world, zh=zh, en=en)
    past = replace(world, clock=FixedClock(world.clock.now() - timedelta(days=STAFF_SINCE)))
    staff = {row[0]: _officer(past, *row) for row in OFFICERS if row is not OFFICERS[-1]}
    supervisors = [staff[row[0]] for row in OFFICERS if row[1] == "supervisor"]
    seed_agreements(world, var, (supervisors[0], supervisors[1]), AREA, receivers)
    _Village(world, [row["claim_code"] for row in stickers]).build()
    _officer(world, *OFFICERS[-1])  # last, so that an interrupted seeding is seen as unfinished
    return True


def _officer(world: World, login: str, role: str, name: str, office: str, area: str) -> str:
    with reading() as session:
        known = session.scalar(select(Officer.id).where(Officer.login == login))
    return known or create_officer(
        world, login=login, display_name=name, office=office, role=role, area=area, password=DEMO_PASSWORD
    ).id


class _Village:
    """Builds the village step by step; each step finds what an interrupted run has left."""

    def __init__(self, world: World, claim_codes: list[str]) -> None:
        self.today = world.clock.today()
        self.clock = FixedClock(world.clock.now())
        self.world = replace(world, clock=self.clock)
        self.now = world.clock.now()
        self.codes = claim_codes[:LOCKS_ONLINE] + claim_codes[-LOCKS_OFFLINE:]

    def build(self) -> None:
        units = self._address_base()
        landlords = [self._landlord(number, name) for number, name in enumerate(LANDLORDS, 1)]
        self._day(120)
        for index, unit_id in enumerate(units):
            self._once(
                claim_unit,
                account_id=landlords[index // 4],
                unit_id=unit_id,
                right_kind="owner",
                evidence="不动产权证书（样本）",
            )
        for index, code in enumerate(self.codes):
            claim_lock(self.world, account_id=landlords[index // 4], unit_id=units[index], claim_code=code)
        for index, story in enumerate(STORIES):
            self._tell(index, story, landlords[index // 4], units[index])
        self._tell_matters(units, landlords)
        self.clock.set(self.now)
        self._let_registry_be_told()

    def _tell_matters(self, units: list[str], landlords: list[str]) -> None:
        """What was brought up over the months, by tenants, landlords and callers."""

        def accounts(by: str, number: int) -> str:
            return landlords[number // 4] if by == "landlord" else self._account(tenant_phone(number + 1))

        self.clock.set(self.now)
        with reading() as session:
            next_door = list(
                session.scalars(
                    select(Unit.id)
                    .join(Dwelling, Dwelling.id == Unit.dwelling_id)
                    .where(Dwelling.division == NEXT_VILLAGE)
                    .order_by(Dwelling.door_no, Unit.label)
                )
            )
        loop = Loop(self.world, self.today, (units, next_door), accounts)
        loop.see_rights([unit_id for index, unit_id in enumerate(units) if index not in RIGHTS_UNSEEN], 118)
        loop.tell()
        loop.plan_round([(units[ROUND_OVERDUE], "overdue"), (units[ROUND_EMPTY], "no_one_registered")])

    def _let_registry_be_told(self) -> None:
        """The story is told in a moment, so the registry hears of weeks at once: no alarm before it could answer."""
        unsent = (Registration.declared_at.is_not(None), Registration.registry_state == "unsent")
        leases, later = select(Registration.lease_id).where(*unsent), self.now + TOLD_WITHIN
        with transaction() as session:
            session.execute(update(Lease).where(Lease.id.in_(leases)).values(duties_look_at=later))
            session.execute(update(Registration).where(*unsent).values(duties_look_at=later))

    def _day(self, days_ago: int, hour: int = 10) -> date:
        day = self.today - timedelta(days=days_ago)
        at = datetime.combine(day, time(hour), CHINA)
        self.clock.set(min(at, self.now))
        return day

    def _once(self, service: Callable[..., Any], **values: Any) -> Any:
        key = f"seed:{service.__name__}:" + ":".join(
            str(values[name]) for name in sorted(values) if name.endswith("_id")
        )
        return service(self.world, **values, idempotency_key=key[:120])

    def _address_base(self) -> list[str]:
        """The sample base, as any base comes in: 12 dwellings and three of the next village; answers the units to let.

        These are of the first three dwellings, eight each.
        """
        self._day(150)
        table = read_table_file(ADDRESS_BASE, COLUMNS, required=REQUIRED)
        import_addresses(self.world, table=table, actor=Actor("operator"))
        with reading() as session:
            return list(
                session.scalars(
                    select(Unit.id)
                    .join(Dwelling, Dwelling.id == Unit.dwelling_id)
                    .where(Dwelling.division == VILLAGE, Dwelling.door_no.in_(("1号", "2号", "3号")))
                    .order_by(Dwelling.door_no, Unit.label)
                )
            )

    def _account(self, phone: str) -> str:
        with transaction() as session:
            return find_or_make_account(self.world, session, phone).id

    def _landlord(self, number: int, name: str) -> str:
        self._day(130)
        account_id = self._account(landlord_phone(number))
        enter_identity(
            self.world,
            account_id=account_id,
            id_type="111",
            name=name,
            id_number=sample_number("330522", date(1960 + number, number, 10 + number)),
        )
        return account_id

    def _tell(self, index: int, story: _Story, landlord: str, unit_id: str) -> None:
        number, name = index + 1, TENANTS[index]
        started = self._day(story.began, hour=9)
        document = self._document(story, index)
        phone = tenant_phone(number)
        made = self._once(
            record_lease, account_id=landlord, unit_id=unit_id, kind="room", starts_on=started,
            ends_on=started + timedelta(days=70 if story.ends == "disputed" else 365), alias=f"租客{number}",
            tenant_name=document["name"], tenant_id_type=document["id_type"],
            tenant_id_number=document["id_number"], tenant_phone=phone,
        )  # fmt: skip
        invitation = self._invite(landlord, made.lease_id)
        if story.ends == "invited" or invitation is None:
            return
        account_id = self._account(phone)
        token = invitation.rsplit("/", 1)[1]
        accept_invitation(
            self.world, account_id=account_id, token=token, phone_jwk=jwk_of(make_private_key().public_key())
        )
        if story.ends == "overdue":
            return
        self._declare(story, index, name, document, account_id, made.registration_id, started)
        if story.ends == "disputed":
            self._day(3)
            end_lease(self.world, account_id=landlord, lease_id=made.lease_id, ended_on=self.today - timedelta(days=4))
            self._day(2)
            answer_still_here(self.world, account_id=account_id, registration_id=made.registration_id)

    def _invite(self, landlord: str, lease_id: str) -> str | None:
        """The link of a fresh invitation; None when an interrupted run had brought this tenant in already."""
        try:
            return invite_tenant(self.world, account_id=landlord, lease_id=lease_id).link
        except Refused as error:
            if error.refusal.code != "invitation.not_open":
                raise
            return None

    def _document(self, story: _Story, index: int) -> dict[str, Any]:
        if story.ends == "foreign":
            return {"name": "Alex Sample", "id_type": "414", "id_number": f"X{10_000_000 + index}"}
        division = HUKOU[index % len(HUKOU)]
        number = sample_number(division, date(1980 + index, index % 12 + 1, index + 1))
        return {"name": TENANTS[index], "id_type": "111", "id_number": number}

    def _declare(
        self, story: _Story, index: int, name: str, document: dict[str, Any], account_id: str, registration_id: str,
        started: date,
    ) -> None:  # fmt: skip
        self._day(story.began, hour=19)
        notice = NOTICES["registration_notice"]
        answer_consent(self.world, account_id=account_id, purpose=notice.purpose, version=notice.version, given=True)
        extra: dict[str, Any] = {"hukou_division": HUKOU[index % len(HUKOU)]}
        if story.ends == "out_of_scope":
            extra = {"hukou_division": "330522"}
        if story.ends == "foreign":
            extra = {"birth_on": date(1991, 5, 20), "sex": "unknown", "nationality": "XXA"}
        person = enter_identity(self.world, account_id=account_id, **document, **extra)
        declare(
            self.world,
            account_id=account_id,
            registration_id=registration_id,
            move_in_on=started,
            planned_end_on=None,
            reason="204",
        )
        if story.ends == "under_review":
            ask_a_person(self.world, account_id=account_id, way="window")
            return
        with transaction() as session:
            settle_identity(self.world, session, person.person_id, "verified", method="window", operator_id=None)
