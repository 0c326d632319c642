"""Keys, what a phone needs to open without a server, and opening over the network."""

from __future__ import annotations

from typing import Any

from flask import url_for

from backend.services import access_records, commands, keys, lock_couriers, time_tokens
from backend.web import language
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.paging import page_by_moment, read_moment
from mobile_api.api.schemas.base import Cursor
from mobile_api.api.schemas.keys import (
    CommandShown,
    CommandWait,
    CredentialShown,
    KeyChange,
    KeyShown,
    LockReport,
    ReportTaken,
    TimeShown,
    TimeWanted,
)
from mobile_api.api.schemas.locks import DoorEvent

blueprint = Blueprint("keys", "钥匙", "Keys")

# A lock is heard from all the time; that alone must not make a change of the key fail.
STEADY = KeyShown(exclude=("doors.last_seen_at",))


@blueprint.get("/keys/<id:key_id>")
@blueprint.etag
@blueprint.response(200, KeyShown)
@blueprint.refuses("right.mandate_over")
def get_key(key_id: str) -> Any:
    """Show a key, to its holder or its landlord; per door what the lock has confirmed.

    查看钥匙（持有人或房东）；逐门显示门锁确认情况。
    """
    return _tagged(keys.get_key(world(), account_id=me(), key_id=key_id))


@blueprint.route("/keys/<id:key_id>", methods=["PATCH"], endpoint="change_key")
@blueprint.etag
@blueprint.arguments(KeyChange)
@blueprint.response(200, KeyShown)
@blueprint.refuses("key.ground", "transition")
def change_key(body: dict[str, Any], key_id: str) -> Any:
    """Suspend, resume or revoke a key; against an occupant only on a ground, the holder always (lost phone).

    暂停、恢复或停用钥匙；停用住户的钥匙须有依据，持有人本人随时可以（手机丢失）。
    """
    blueprint.check_etag(keys.get_key(world(), account_id=me(), key_id=key_id), STEADY)
    wanted, ground = body["state"], body.get("ground")
    if wanted == "active":
        return _tagged(keys.resume_key(world(), account_id=me(), key_id=key_id))
    change = keys.suspend_key if wanted == "suspended" else keys.revoke_key
    return _tagged(change(world(), account_id=me(), key_id=key_id, ground=ground))


@blueprint.post("/keys/<id:key_id>/credentials")
@blueprint.response(201, CredentialShown)
@blueprint.refuses("key.not_active", "key.over", "unit.no_lock")
def fetch_credential(key_id: str) -> Any:
    """Fetch fresh credentials for opening without a server, bound to the phone's own key.

    获取离线开门凭证，绑定本机密钥；打开应用时更新。
    """
    return keys.fetch_credential(world(), account_id=me(), key_id=key_id)


@blueprint.post("/keys/<id:key_id>/time-tokens")
@blueprint.arguments(TimeWanted)
@blueprint.response(201, TimeShown)
@blueprint.refuses("key.not_active", "input.malformed")
def fetch_time(body: dict[str, Any], key_id: str) -> Any:
    """Fetch the signed time for a lock whose clock has lost it; the phone at the door carries it there.

    为丢失时间的门锁领取签名时间，由门前的手机带给门锁。
    """
    return time_tokens.fetch_time(world(), account_id=me(), key_id=key_id, **body)


@blueprint.post("/keys/<id:key_id>/lock-reports")
@blueprint.arguments(LockReport)
@blueprint.response(200, ReportTaken)
@blueprint.refuses("key.not_active", "courier.item", "rate")
def bring_lock_report(body: dict[str, Any], key_id: str) -> Any:
    """Bring what was collected at a lock without network; the answer is for the lock. The same again, no change.

    上报从离线门锁带来的加密记录；回执由手机带回门锁。重复提交不产生变化。
    """
    taken = lock_couriers.take_report(world(), account_id=me(), key_id=key_id, **body)
    spoken = language()
    refused = [
        {"pointer": f"/{each.field}", "code": each.code, "detail": each.sentence(spoken), "remedy": each.remedy(spoken)}
        for each in taken.refused
    ]
    return {"lock_id": taken.lock_id, "ack": taken.ack, "refused": refused}


@blueprint.post("/keys/<id:key_id>/unlocks")
@blueprint.response(
    202,
    CommandShown,
    headers={"Location": {"description": "指令地址 · where to ask for the result", "schema": {"type": "string"}}},
)
@blueprint.refuses(
    "key.not_active",
    "key.not_yet",
    "key.over",
    "key.outside_window",
    "lock_offline",
    "unit.no_lock",
    "input.missing",
)
@blueprint.creates_under_a_key
@blueprint.may_wait(most=3)
def unlock(key_id: str, idempotency_key: str, wait_seconds: int) -> Any:
    """Open the door over the network; needs an Idempotency-Key and is never kept for later; `Prefer: wait=3` waits.

    联网开门：必须带 Idempotency-Key；门锁离线时立即拒绝，不会留到以后执行。
    可用 Prefer: wait=3 在同一请求中等待门锁答复。
    """
    made = commands.unlock_and_wait(
        world(), account_id=me(), key_id=key_id, idempotency_key=idempotency_key, seconds=wait_seconds
    )
    return made, 202, {"Location": url_for("api.keys.get_command", command_id=made.id)}


@blueprint.get("/commands/<id:command_id>")
@blueprint.etag
@blueprint.arguments(CommandWait, location="query")
@blueprint.response(200, CommandShown)
def get_command(query: dict[str, Any], command_id: str) -> Any:
    """Ask what came of a command; `wait_s` waits for the lock's answer.

    查询指令结果；可用 wait_s 等待门锁答复。
    """
    if query["wait_s"]:
        return commands.wait_for_command(world(), account_id=me(), command_id=command_id, seconds=query["wait_s"])
    return commands.get_command(world(), account_id=me(), command_id=command_id)


@blueprint.get("/keys/<id:key_id>/door-events")
@blueprint.arguments(Cursor, location="query")
@blueprint.response_page(DoorEvent(many=True))
@blueprint.refuses("input.malformed")
def list_door_events(query: dict[str, Any], key_id: str) -> Any:
    """List the openings of one's own door, newest first; nobody but the tenant can see them.

    查看自己的开门记录，新的在前；只有租客本人能看到。
    """
    limit, before = query["limit"], query.get("before")
    until, skip = read_moment(before)
    found = access_records.my_door_events(
        world(), account_id=me(), key_id=key_id, until=until, skip=skip, limit=limit + 1
    )
    return page_by_moment(found, limit, before)


def _tagged(card: keys.KeyCard) -> keys.KeyCard:
    blueprint.set_etag(card, STEADY)
    return card
