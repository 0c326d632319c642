"""Sharing with entitled offices: what can be told at all, what an agreement may say, and whether it lets something out.

Every list here is closed: a kind of change or a field that does not stand here can stand in no agreement. Door events,
rent and deposit do not stand here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit

from backend.domain.refusals import Refusal
from backend.domain.registry_rules import wait_after_fault
from backend.domain.rules import RULES

DIRECTIONS = ("out", "in", "both")
DELIVERIES = ("webhook", "pull")
STATES = ("draft", "active", "suspended", "ended")
MOST_PER_DELIVERY = 100
MOST_PER_PAGE = 500
PARKED_AFTER = timedelta(days=7)  # of vain tries; a person then asks the office what is wrong
SUSPENDED_WAIT = timedelta(hours=1)  # resuming makes everything due at once, so this only keeps rows from being asked
DELIVERIES_KEPT = timedelta(days=90)  # then the leaf alone shows a delivery; an office that pulls has this long
LONGEST_RETRY_AFTER_SECONDS = 86_400


@dataclass(frozen=True)
class ChangeKind:
    """A kind of change: what it is about ('registration', 'lease', 'unit', or 'inbound') and its names."""

    about: str
    zh: str
    en: str


OUT_KINDS: dict[str, ChangeKind] = {
    "cn.anju.registration.declared": ChangeKind("registration", "居住登记申报", "residence declared"),
    "cn.anju.registration.amended": ChangeKind("registration", "居住登记变更", "registration amended"),
    "cn.anju.registration.accepted": ChangeKind("registration", "登记机关确认", "accepted by the registry"),
    "cn.anju.registration.checked-out": ChangeKind("registration", "离开登记", "checked out"),
    "cn.anju.registration.voided": ChangeKind("registration", "登记作废", "registration voided"),
    "cn.anju.lease.recorded": ChangeKind("lease", "租约登记", "lease recorded"),
    "cn.anju.lease.extended": ChangeKind("lease", "租约续期", "lease extended"),
    "cn.anju.lease.ended": ChangeKind("lease", "租约终止", "lease ended"),
    "cn.anju.unit.enrolled": ChangeKind("unit", "房源纳管", "unit enrolled"),
    "cn.anju.unit.renumbered": ChangeKind("unit", "房源地址变更", "unit renumbered"),
    "cn.anju.unit.changed": ChangeKind("unit", "房源信息变更", "unit changed"),
}
IN_KINDS: dict[str, ChangeKind] = {
    "cn.anju.address.renumbered": ChangeKind("inbound", "地址库变更", "address base renumbered"),
    "cn.anju.person.became-local": ChangeKind("inbound", "户口迁入本地", "became local"),
    "cn.anju.lease.filed": ChangeKind("inbound", "租约已备案", "lease filed"),
}
KINDS = OUT_KINDS | IN_KINDS

# purpose -> names, the rules it can rest on
OFFICE_PURPOSES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lease_filing": ("住房租赁合同备案", "Filing of leases", ("HR-8",)),
    "dwelling_ledger": ("出租房屋与居住登记底数", "Ledger of dwellings and registrations", ("ZJ-9-1", "PSAL-68")),
    "address_base": ("标准地址维护", "Upkeep of the address base", ("ZJ-9-1", "HR-8")),
    "residence_facts": ("居住登记信息核实", "Checking facts of residence", ("ZJ-2", "ZJ-13")),
}


@dataclass(frozen=True)
class SharedField:
    """A field that an agreement may name: its names, which kinds of object have it, whom else it is about."""

    zh: str
    en: str
    of: frozenset[str]
    about: str | None = None  # 'landlord': that person reads of the disclosure too


_UNIT, _LEASE, _REGISTRATION = frozenset({"unit"}), frozenset({"lease"}), frozenset({"registration"})
_PLACE = _UNIT | _LEASE | _REGISTRATION
FIELDS: dict[str, SharedField] = {
    "unit.public_number": SharedField("房源编号", "unit number", _PLACE),
    "unit.address": SharedField("房屋地址", "address", _PLACE),
    "unit.division": SharedField("区划代码", "division code", _PLACE),
    "unit.space_kind": SharedField("房屋类型", "kind of space", _PLACE),
    "unit.usable_area_m2": SharedField("使用面积", "usable area", _PLACE),
    "unit.capacity": SharedField("可住人数", "capacity", _PLACE),
    "unit.registered_people": SharedField("已登记人数", "number of registered people", _UNIT | _REGISTRATION),
    "landlord.name": SharedField("出租人姓名", "landlord's name", _UNIT | _LEASE, "landlord"),
    "landlord.id_type": SharedField("出租人证件类型", "landlord's document type", _UNIT | _LEASE, "landlord"),
    "landlord.id_number": SharedField("出租人证件号码", "landlord's document number", _UNIT | _LEASE, "landlord"),
    "lease.kind": SharedField("出租方式", "kind of lease", _LEASE, "landlord"),
    "lease.state": SharedField("租约状态", "state of the lease", _LEASE, "landlord"),
    "lease.starts_on": SharedField("租期开始", "lease begins", _LEASE, "landlord"),
    "lease.ends_on": SharedField("租期结束", "lease ends", _LEASE, "landlord"),
    "lease.filing_no": SharedField("备案号", "filing number", _LEASE, "landlord"),
    "tenant.name": SharedField("承租人姓名", "tenant's name", _LEASE),
    "tenant.id_type": SharedField("承租人证件类型", "tenant's document type", _LEASE),
    "tenant.id_number": SharedField("承租人证件号码", "tenant's document number", _LEASE),
    "registration.state": SharedField("登记状态", "registration state", _REGISTRATION),
    "registration.declared_at": SharedField("申报时间", "declared at", _REGISTRATION),
    "registration.move_in_on": SharedField("入住日期", "moved in on", _REGISTRATION),
    "registration.planned_end_on": SharedField("拟住到", "planned end", _REGISTRATION),
    "registration.moved_out_on": SharedField("离开日期", "moved out on", _REGISTRATION),
    "registration.receipt_no": SharedField("登记凭证号", "receipt number", _REGISTRATION),
    "resident.name": SharedField("居住人姓名", "resident's name", _REGISTRATION),
    "resident.id_type": SharedField("居住人证件类型", "resident's document type", _REGISTRATION),
    "resident.id_number": SharedField("居住人证件号码", "resident's document number", _REGISTRATION),
}
INBOUND_FIELDS: dict[str, tuple[str, str]] = {
    "address.code": ("地址编码", "address code"),
    "address.division": ("区划代码", "division code"),
    "address.road": ("道路", "road"),
    "address.door_no": ("门牌号", "door number"),
    "address.building": ("楼栋", "building"),
    "address.former": ("原地址", "former address"),
    "person.name": ("姓名", "name"),
    "person.id_type": ("证件类型", "document type"),
    "person.id_number": ("证件号码", "document number"),
    "person.hukou_division": ("户籍区划", "household registration"),
    "person.since_on": ("生效日期", "since"),
    "lease.filing_no": ("备案号", "filing number"),
    "lease.filed_on": ("备案日期", "filed on"),
    "lease.reference": ("租约编号", "lease"),
    "unit.public_number": ("房源编号", "unit number"),
}

_SUBSCRIBER = re.compile(r"[a-z][a-z0-9-]{2,38}")
_AREA = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}", re.ASCII)


@dataclass(frozen=True)
class Terms:
    """What an agreement says, as far as decisions need it."""

    direction: str
    areas: tuple[str, ...]
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    starts_on: date
    ends_on: date
    state: str

    def covers(self, area: str) -> bool:
        """Whether a division (12 digits) lies in the agreed area."""
        return area.startswith(self.areas)

    def speaks_of(self, kind: str, area: str, day: date) -> bool:
        """Whether a change of this kind there was to be told when it happened."""
        return self.starts_on <= day <= self.ends_on and kind in self.kinds and self.covers(area)

    def fields_for(self, kind: str) -> tuple[str, ...]:
        """The agreed fields that a change of this kind has at all, in the agreement's order."""
        about = KINDS[kind].about if kind in KINDS else ""
        if about == "inbound":
            return tuple(name for name in self.fields if name in INBOUND_FIELDS)
        return tuple(name for name in self.fields if name in FIELDS and about in FIELDS[name].of)


def why_withheld(
    terms: Terms, kind: str, area: str, today: date, happened_on: date | None = None, earlier: Sequence[Terms] = ()
) -> str | None:
    """Why a change does not go out (or come in) under an agreement at this moment; None when it may.

    What happened before the first agreed day never goes out: neither this version nor one of the `earlier` ones, which
    it has taken the place of, spoke of it then. 'suspended' may pass; every other reason is for good.
    """
    if terms.state == "ended" or today > terms.ends_on:
        return "agreement_ended"
    if terms.state == "draft" or today < terms.starts_on:
        return "not_in_force"
    if kind not in terms.kinds or terms.direction not in (("in", "both") if kind in IN_KINDS else ("out", "both")):
        return "kind_not_agreed"
    if not terms.covers(area):
        return "area_not_agreed"
    if happened_on is not None and not any(each.speaks_of(kind, area, happened_on) for each in (terms, *earlier)):
        return "before_agreement"
    return "suspended" if terms.state == "suspended" else None


def is_registration_told(scope: str, declared: bool) -> bool:
    """Whether facts of a residence go to another office: declared, and not out of scope (ZJ-2), exempt (ZJ-12) or
    foreign (EEL-39), whom the law keeps out of what the registry gets."""
    return declared and scope == "in_scope"


def decide_approval(state: str, approved_by: Sequence[str | None], officer_id: str) -> Refusal | None:
    """Whether a supervisor may approve: a draft, and not the one who approved first (four eyes)."""
    if state != "draft":
        return Refusal("agreement.state", allowed=("draft",))
    return Refusal("agreement.four_eyes") if officer_id in approved_by else None


def find_agreement_faults(written: Mapping[str, object], *, demo: bool) -> list[Refusal]:
    """Every fault of an agreement as it was handed in (members as in the README's sample)."""
    faults = [
        Refusal("input.missing", name)
        for name in ("subscriber", "office_zh", "office_en", "direction", "areas", "purpose", "legal_basis", "kinds",
                     "fields", "starts_on", "ends_on", "delivery", "keys")
        if not written.get(name)
    ]  # fmt: skip
    if faults:
        return faults
    if not (isinstance(written["subscriber"], str) and _SUBSCRIBER.fullmatch(written["subscriber"])):
        faults.append(Refusal("agreement.subscriber", "subscriber"))
    for name, allowed in (("direction", DIRECTIONS), ("delivery", DELIVERIES), ("purpose", tuple(OFFICE_PURPOSES))):
        if written[name] not in allowed:
            faults.append(Refusal("input.not_one_of", name, allowed=allowed))
    areas = written["areas"]
    if not (_is_texts(areas) and all(_AREA.fullmatch(area) for area in _texts(areas))):
        faults.append(Refusal("agreement.area", "areas"))
    faults += _content_faults(written) + _webhook_faults(written, demo)
    return faults


def retry_wait(attempts: int, retry_after_seconds: float | None, source: random.Random | None = None) -> timedelta:
    """How long until the next try: as the office asked (a day at most), else longer each time, with jitter."""
    if retry_after_seconds is not None:
        return timedelta(seconds=min(max(retry_after_seconds, 1.0), LONGEST_RETRY_AFTER_SECONDS))
    return wait_after_fault(attempts, source)


def _content_faults(written: Mapping[str, object]) -> list[Refusal]:
    faults = []
    direction = str(written["direction"])
    kinds = {"out": OUT_KINDS, "in": IN_KINDS}.get(direction, KINDS)
    if not _is_texts(written["kinds"]) or not set(_texts(written["kinds"])) <= set(kinds):
        faults.append(Refusal("input.not_one_of", "kinds", allowed=tuple(kinds)))
    fields = {"out": set(FIELDS), "in": set(INBOUND_FIELDS)}.get(direction, set(FIELDS) | set(INBOUND_FIELDS))
    if not _is_texts(written["fields"]) or not set(_texts(written["fields"])) <= fields:
        faults.append(Refusal("input.not_one_of", "fields", allowed=tuple(sorted(fields))))
    basis = written["legal_basis"]
    purpose = OFFICE_PURPOSES.get(str(written["purpose"]))
    if basis not in RULES or (purpose is not None and basis not in purpose[2]):
        faults.append(Refusal("agreement.legal_basis", "legal_basis", allowed=purpose[2] if purpose else tuple(RULES)))
    dates = []
    for name in ("starts_on", "ends_on"):
        try:
            dates.append(date.fromisoformat(str(written[name])))
        except ValueError:
            faults.append(Refusal("input.wrong_type", name, {"expected": "2026-12-31"}))
    if len(dates) == 2 and dates[1] < dates[0]:
        faults.append(Refusal("input.date_order", "ends_on"))
    return faults


def _webhook_faults(written: Mapping[str, object], demo: bool) -> list[Refusal]:
    url = written.get("webhook_url")
    if written["delivery"] == "pull":
        return [Refusal("agreement.webhook", "webhook_url")] if url else []
    try:
        parts = urlsplit(str(url or ""))
        sound = bool(parts.hostname) and parts.username is None and parts.password is None and not parts.fragment
        local = demo and parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost")
    except ValueError:
        return [Refusal("agreement.webhook", "webhook_url")]
    most = written.get("batch_size", 1)
    faults = [] if sound and (parts.scheme == "https" or local) else [Refusal("agreement.webhook", "webhook_url")]
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_PER_DELIVERY:
        faults.append(Refusal("input.wrong_type", "batch_size", {"expected": f"1–{MOST_PER_DELIVERY}"}))
    return faults


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)


def _texts(value: object) -> Iterable[str]:
    return value if isinstance(value, list) else ()
