"""Times for the window and live video, and the national network identity."""

from __future__ import annotations

from typing import Any

from backend.domain.refusals import Refused
from backend.services import appointments, network_identity
from mobile_api.api.callers import me, my_session, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.identity_ways import (
    AppointmentShown,
    NetworkOutcomeShown,
    NetworkPageShown,
    NetworkReturn,
    SlotChosen,
    SlotShown,
)

blueprint = Blueprint("identity_ways", "其他核验方式", "Other ways of the identity check")


@blueprint.get("/identity/slots")
@blueprint.response(200, SlotShown(many=True))
@blueprint.refuses("person.missing")
def list_slots() -> Any:
    """List the times on offer at the office where one lives, the next working days.

    查看住处所属窗口接下来几个工作日的可约时间。
    """
    return appointments.offered_slots(world(), account_id=me())


@blueprint.get("/identity/appointment")
@blueprint.etag
@blueprint.response(200, AppointmentShown)
@blueprint.refuses("appointment.none")
def get_appointment() -> Any:
    """Show one's own appointment, with the video link once it is set.

    查看我的预约；视频链接发出后在此显示。
    """
    found = appointments.my_appointment(world(), account_id=me())
    if found is None:
        raise Refused("appointment.none")
    return found


@blueprint.route("/identity/appointment", methods=["PUT"], endpoint="choose_slot")
@blueprint.arguments(SlotChosen)
@blueprint.response(200, AppointmentShown)
@blueprint.refuses("person.missing", "identity.settled", "appointment.slot", "appointment.full", "stale")
def choose_slot(body: dict[str, Any]) -> Any:
    """Choose a time, or move the one chosen; the same again changes nothing. The window needs no time.

    选择或更改预约时间；重复提交不产生变化。到窗口也可以不预约。
    """
    return appointments.choose_slot(world(), account_id=me(), **body)


@blueprint.delete("/identity/appointment")
@blueprint.response(200, AppointmentShown)
@blueprint.refuses("person.missing", "appointment.none")
def cancel_appointment() -> Any:
    """Give the time back; the review stays open.

    取消预约；核验事项仍保留。
    """
    return appointments.cancel_appointment(world(), account_id=me())


@blueprint.post("/identity/network-requests")
@blueprint.response(201, NetworkPageShown)
@blueprint.refuses("network.absent", "network.unavailable", "person.missing", "person.minor", "identity.settled")
def begin_network_identity() -> Any:
    """Begin with the national network identity: gives a page of its own; only a result will come back.

    使用国家网络身份认证：返回其页面地址，之后只返回结果。
    """
    return network_identity.begin_request(world(), account_id=me(), session_id=my_session())


@blueprint.post("/identity/network-requests/<id:request_id>/result")
@blueprint.arguments(NetworkReturn)
@blueprint.response(200, NetworkOutcomeShown)
@blueprint.refuses(
    "network.absent", "network.unavailable", "network.expired", "network.used", "network.other", "not_found"
)
def finish_network_identity(body: dict[str, Any], request_id: str) -> Any:
    """Hand in what the page came back with; good once, from the same sign-in, within five minutes.

    提交返回的票据：同一次登录，五分钟内，只能用一次。
    """
    return network_identity.finish_request(
        world(), account_id=me(), session_id=my_session(), request_id=request_id, **body
    )
