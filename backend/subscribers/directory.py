"""Which offices stand here, and what each may report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StandIn:
    """One office; `hears` unless it only reports."""

    name: str
    zh: str
    en: str
    reports: str
    hears: bool = True


HOUSING = StandIn(
    "housing-authority", "住房和城乡建设局（模拟）", "Housing authority (stand-in)", "cn.anju.lease.filed"
)
PRECINCT = StandIn("precinct-module", "派出所模块（模拟）", "Precinct module (stand-in)", "cn.anju.person.became-local")
ADDRESSES = StandIn(
    "address-office",
    "地名地址管理办公室（模拟）",
    "Address office (stand-in)",
    "cn.anju.address.renumbered",
    hears=False,
)
OFFICES: dict[str, StandIn] = {office.name: office for office in (HOUSING, PRECINCT, ADDRESSES)}
