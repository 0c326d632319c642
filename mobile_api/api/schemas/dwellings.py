"""Dwellings of the address base and their units."""

from __future__ import annotations

from backend.domain.spaces import RIGHT_NAMES, SPACE_NAMES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Number, Part, Several, Text, Whole


class DwellingSearch(Input):
    q = Text("地址中的文字", "Words of the address", "陈塘村", most=60, required=True)
    limit = Whole("条数", "How many", 20, least=1, most=50, query=True, load_default=20)


class DwellingShown(Output):
    id = Id("房屋编号", "Id of the dwelling")
    address = Text("标准地址", "Standard address", "浙江省湖州市长兴县太湖街道陈塘村 12 号")
    division = Text("区划代码", "Division code", "330522003901")
    units = Whole("房间数", "Number of units", 4)


class UnitChoice(Output):
    id = Id("房间编号", "Id of the unit")
    label = Text("房间", "Label", "201")
    space_kind = Choice("空间种类", "Kind of space", "bedroom", SPACE_NAMES)
    usable_area_m2 = Number("使用面积 m²", "Usable area in m²", 12.5)
    capacity = Whole("可住人数", "How many may live there", 2)
    claimed = Flag("是否已被登记", "Whether a landlord has claimed it", False)


class DwellingDetail(DwellingShown):
    units = Several(Part(UnitChoice, "房间", "A unit"), "房间", "Units")  # type: ignore[assignment]


class RightShown(Input):
    right_kind = Choice("出租权利", "Right to let", "owner", RIGHT_NAMES, required=True)
    evidence = Text(
        "写明的凭证（不留复印件）", "Evidence as stated; no copy is kept", "不动产权证", most=120, required=True
    )
    mandate_ends_on = Day("委托到期日", "End of the mandate", "2027-11-22", allow_none=True)


class UnitAdded(RightShown):
    label = Text("房间名称", "Label", "301", most=40, required=True)
    space_kind = Choice("空间种类", "Kind of space", "bedroom", SPACE_NAMES, required=True)
    usable_area_m2 = Number("使用面积 m²", "Usable area in m²", 12.5, required=True)
    capacity = Whole("可住人数", "How many may live there", 2, most=1000, required=True)


class ClaimShown(Output):
    unit_id = Id("房间编号", "Id of the unit")
    state = Choice("状态", "accepted, or contested: a person decides", "accepted", ("accepted", "contested"))
    case_reference = Text("事项编号", "Reference of the case", None, allow_none=True)


class UnitReleased(Output):
    unit_id = Id("房间编号", "Id of the unit")
