"""Words of the statistics and of the search: sheets, their rows and columns, ways to search."""

from __future__ import annotations

from backend.domain.divisions import provinces
from backend.web import language

SEARCH_WAYS = {
    "number": ("号码（证件、手机、凭证）", "Number (document, phone, receipt)"),
    "name": ("姓名", "Name"),
    "address": ("地址", "Address"),
}
SHEETS = {
    "moved_in": ("搬入", "Moved in"),
    "moved_out": ("搬出", "Moved out"),
    "states": ("已登记与逾期未申报", "Registered, and overdue"),
    "timeliness": ("按期申报", "Declared in time"),
    "methods": ("身份核验方式", "How people were identified"),
    "reviews": ("人工复核", "Identity reviews"),
    "provinces": ("户籍所在省份", "Province of household registration"),
    "ages": ("年龄段", "Age bands"),
}
SHEET_NOTES = {
    "states": ("图为在住已登记人数。", "The chart shows those registered."),
    "timeliness": ("按应申报的月份；图为按期的百分比（户口登记条例第十五条）。",
                   "By the month in which it was due; the chart shows percent in time (HK-15)."),
    "methods": ("最近十二个月；同一人用过两种方式的，各算一次。",
                "Last twelve months; a person with two methods counts in both."),
    "reviews": ("按办结的月份；图为等待时间中位数（小时）。",
                "By the month of the decision; the chart shows the median wait in hours."),
    "provinces": ("在住已登记的人。", "Those who live here registered."),
    "ages": ("在住已登记的人，每天清点一次。", "Those who live here registered, counted once a day."),
}  # fmt: skip
SHEET_LABELS = {
    "registered": ("在住已登记", "Registered"),
    "overdue": ("逾期未申报", "Overdue"),
    "in_time": ("按期", "In time"),
    "late": ("逾期", "Late"),
    "people": ("人数", "People"),
    "decided": ("办结件数", "Decided"),
    "median_hours": ("等待时间中位数（小时）", "Median wait (hours)"),
    "face": ("人脸核验", "Face check"),
    "network_identity": ("网络身份认证", "Network identity"),
    "window": ("窗口当面", "At the window"),
    "live_video": ("视频", "Live video"),
    "attestation": ("房东见证", "Landlord's attestation"),
    "0_15": ("16 岁以下", "Under 16"),
    "16_24": ("16–24 岁", "16–24"),
    "25_44": ("25–44 岁", "25–44"),
    "45_59": ("45–59 岁", "45–59"),
    "60_up": ("60 岁及以上", "60 and over"),
}
FIGURE_TABLES = {"SEARCH_WAYS": SEARCH_WAYS, "SHEETS": SHEETS, "SHEET_NOTES": SHEET_NOTES}


def sheet_label(code: str) -> str:
    """The label of a row or column of a sheet: a word, a province; months and places speak for themselves."""
    if code in SHEET_LABELS:
        return SHEET_LABELS[code][0 if language() == "zh" else 1]
    province = provinces().get(code)
    return province.name if province else code
