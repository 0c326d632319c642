"""A landlord of many units: one board by pages, and reminders to many tenants at once."""

from __future__ import annotations

from typing import Any

from backend.domain.landlord_board import page_of_todos
from backend.services import landlord_reminders, unit_board
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.unit_board import (
    BoardWishes,
    LateTenant,
    LeasesChosen,
    Reminded,
    TodoPage,
    TodoWishes,
    UnitBoard,
)

blueprint = Blueprint("unit_board", "很多房间", "Many units")


@blueprint.get("/unit-board")
@blueprint.etag
@blueprint.arguments(BoardWishes, location="query")
@blueprint.response(200, UnitBoard)
def show_board(query: dict[str, Any]) -> Any:
    """Show one's units by address, a page at a time, searched by words and filtered by state, with all tasks.

    按地址分页查看我的房间，可搜索、按状态筛选，并附全部待办。
    """
    return unit_board.unit_board(world(), account_id=me(), **query)


@blueprint.get("/todos")
@blueprint.etag
@blueprint.arguments(TodoWishes, location="query")
@blueprint.response(200, TodoPage)
def list_todos(query: dict[str, Any]) -> Any:
    """List what one owes or may do next over all units, the first due first, a page at a time.

    分页查看全部待办，先到期的在前。
    """
    found = unit_board.list_todos(world(), account_id=me())
    todos, following = page_of_todos(found, query.get("after"), query["limit"])
    return {"todos": todos, "total": len(found), "next_after": following}


@blueprint.get("/late-tenants")
@blueprint.response(200, LateTenant(many=True))
def list_late_tenants() -> Any:
    """List the leases whose tenants are late to declare (HK-15).

    查看逾期未申报的租约。
    """
    return landlord_reminders.list_late_tenants(world(), account_id=me())


@blueprint.post("/tenant-reminders")
@blueprint.arguments(LeasesChosen)
@blueprint.response(201, Reminded)
@blueprint.refuses("landlord.unidentified", "input.missing", "input.length", "not_found", "right.mandate_over")
@blueprint.creates
def remind_tenants(body: dict[str, Any], idempotency_key: str | None) -> Any:
    """Remind the tenants of many leases to declare, each once a day at most; no key changes (HR-12).

    提醒多个租约的租客申报，每人每天最多一次；不影响钥匙（HR-12）。
    """
    return landlord_reminders.remind_tenants(world(), account_id=me(), **body, idempotency_key=idempotency_key)
