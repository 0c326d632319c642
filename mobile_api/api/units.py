"""The landlord's units and their locks."""

from __future__ import annotations

from typing import Any

from backend.services import landlord_views, units
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.dwellings import ClaimShown, RightShown, UnitAdded
from mobile_api.api.schemas.leases import LandlordHome, LeaseShown, UnitCard
from mobile_api.api.schemas.locks import ClaimCode, LockClaimed, LockHealth

blueprint = Blueprint("units", "我的房间", "My units")


@blueprint.get("/units")
@blueprint.etag
@blueprint.response(200, LandlordHome)
def list_units() -> Any:
    """List one's units with lock, lease and what is to be done.

    查看我的房间、门锁、租约和待办。
    """
    return landlord_views.landlord_home(world(), account_id=me())


@blueprint.get("/units/<id:unit_id>")
@blueprint.etag
@blueprint.response(200, UnitCard)
@blueprint.refuses("unit.not_yours")
def get_unit(unit_id: str) -> Any:
    """Show one of one's units.

    查看一间房。
    """
    return landlord_views.get_unit(world(), account_id=me(), unit_id=unit_id)


@blueprint.post("/units/<id:unit_id>/claims")
@blueprint.arguments(RightShown)
@blueprint.response(201, ClaimShown)
@blueprint.refuses(
    "landlord.unidentified", "unit.claimed", "right.mandate_end", "unit.space", "unit.area", "unit.capacity"
)
@blueprint.creates
def claim_unit(body: dict[str, Any], unit_id: str, idempotency_key: str | None) -> Any:
    """Claim a unit with the right to let it, or renew one's mandate; when another has claimed it, a person decides.

    登记一间房和出租权利，或续签委托；已有人登记时由工作人员核实。
    """
    return units.claim_unit(world(), account_id=me(), unit_id=unit_id, **body, idempotency_key=idempotency_key)


@blueprint.post("/dwellings/<id:dwelling_id>/units")
@blueprint.arguments(UnitAdded)
@blueprint.response(201, ClaimShown)
@blueprint.refuses(
    "landlord.unidentified",
    "unit.duplicate",
    "unit.claimed",
    "right.mandate_end",
    "unit.space",
    "unit.area",
    "unit.capacity",
)
@blueprint.creates
def add_unit(body: dict[str, Any], dwelling_id: str, idempotency_key: str | None) -> Any:
    """Add a unit that the address base does not have yet, and claim it.

    新增地址库中没有的房间并登记。
    """
    return units.add_unit(world(), account_id=me(), dwelling_id=dwelling_id, **body, idempotency_key=idempotency_key)


@blueprint.route("/units/<id:unit_id>/lock", methods=["PUT"], endpoint="claim_lock")
@blueprint.arguments(ClaimCode)
@blueprint.response(200, LockClaimed)
@blueprint.refuses("unit.not_yours", "lock.claim_code", "lock.claimed", "unit.has_lock")
def claim_lock(body: dict[str, Any], unit_id: str) -> Any:
    """Claim the lock of a unit by the code on its sticker; the same again changes nothing.

    用贴纸上的领取码领取门锁；重复提交不产生变化。
    """
    return units.claim_lock(world(), account_id=me(), unit_id=unit_id, claim_code=body["claim_code"])


@blueprint.get("/units/<id:unit_id>/lock-events")
@blueprint.etag
@blueprint.response(200, LockHealth(many=True))
@blueprint.refuses("unit.not_yours", "right.mandate_over")
def list_lock_events(unit_id: str) -> Any:
    """List health and safety events of the unit's lock; who opened a door is not among them.

    查看门锁的运行与安全事件；不含开门记录。
    """
    return landlord_views.list_lock_health(world(), account_id=me(), unit_id=unit_id)


@blueprint.get("/units/<id:unit_id>/leases")
@blueprint.etag
@blueprint.response(200, LeaseShown(many=True))
@blueprint.refuses("unit.not_yours", "right.mandate_over")
def list_leases(unit_id: str) -> Any:
    """List all leases of a unit, newest first.

    查看一间房的全部租约。
    """
    return landlord_views.list_leases(world(), account_id=me(), unit_id=unit_id)
