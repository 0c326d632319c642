"""The equal other ways: times at the window or by video, the national network identity."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from marshmallow import fields

from backend.domain.appointments import STATE_NAMES, WAYS
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Id, Moment, Text, Whole, wrong_type

AT = "2026-11-24T01:00:00+00:00"


class Instant(fields.String):
    """An instant that comes in: RFC 3339 with its offset."""

    default_error_messages = {"required": "input.missing", "null": "input.missing", "invalid": "input.malformed"}

    def __init__(self, zh: str, en: str, example: str = AT, **more: Any) -> None:
        words = {"description": f"{zh} · {en}", "examples": [example], "format": "date-time"}
        super().__init__(metadata=words, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        try:
            found = datetime.fromisoformat(value) if isinstance(value, str) and len(value) <= 40 else None
        except ValueError:
            found = None
        if found is None or found.tzinfo is None or not 2000 <= found.year <= 2200:
            raise wrong_type(AT)
        return found.astimezone(UTC)


class SlotShown(Output):
    starts_at = Moment("开始", "Begins", AT)
    ends_at = Moment("结束", "Ends", "2026-11-24T01:30:00+00:00")
    free = Whole("余位", "Places left; 0 is full", 2)


class SlotChosen(Input):
    way = Choice("方式", "Way", "window", WAYS, required=True)
    starts_at = Instant("开始时间，取自可约时间列表", "When it begins, out of the list of times", required=True)


class AppointmentShown(Output):
    id = Id("预约编号", "Id of the appointment")
    case_reference = Text("事项编号", "Reference of the case", "AJ-20261123-0007")
    way = Choice("方式", "Way", "window", WAYS)
    starts_at = Moment("开始", "Begins", AT)
    ends_at = Moment("结束", "Ends", "2026-11-24T01:30:00+00:00")
    state = Choice("状态", "State; asked: a video whose link is still to come", "booked", STATE_NAMES)
    video_link = Text("视频链接", "Link of the live video, once set", None, allow_none=True)
    version = Whole("版本", "Version", 1)


class NetworkPageShown(Output):
    id = Id("请求编号", "Id of the request")
    page = Text(
        "请在浏览器打开的页面", "Page to open in a browser; it comes back to /t/network-identity/{id}?state=…&ticket=…",
        "https://netid.example/confirm/4f1c", most=500,
    )  # fmt: skip
    expires_at = Moment("有效到", "Good until", "2026-11-23T06:35:00+00:00")


class NetworkReturn(Input):
    state = Text("返回地址中的 state", "`state` of the way back", "kVx2c0uXbq7m4n1T", most=200, required=True)
    ticket = Text("返回地址中的 ticket", "`ticket` of it, good once", "Zm9vYmFyYmF6cXV4", most=200, required=True)


class NetworkOutcomeShown(Output):
    result = Choice("结果", "All that comes back", "verified", ("verified", "refused", "expired"))
    state = Choice("身份状态", "State of the identity now", "verified", ("none", "attested", "verified"))
