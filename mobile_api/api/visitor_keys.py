"""Visitors' keys: for a cleaner or tradesman, with an occupant's word on an occupied unit."""

from __future__ import annotations

from typing import Any

from backend.domain.visitors import WeeklyWindow
from backend.services import visitor_keys
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.paging import page_by_id
from mobile_api.api.schemas.base import Cursor
from mobile_api.api.schemas.keys import KeyShown
from mobile_api.api.schemas.visitor_keys import ConsentGiven, VisitorKeyAsked, VisitorKeyShown

blueprint = Blueprint("visitor_keys", "临时钥匙", "Visitors' keys")


@blueprint.post("/units/<id:unit_id>/visitor-keys")
@blueprint.arguments(VisitorKeyAsked)
@blueprint.response(201, VisitorKeyShown)
@blueprint.refuses(
    "unit.not_yours",
    "right.mandate_over",
    "phone.invalid",
    "input.date_order",
    "visitor.dates",
    "visitor.uses",
    "visitor.unlimited",
    "visitor.windows",
    "visitor.no_emergency",
)
@blueprint.creates
def issue_visitor_key(body: dict[str, Any], unit_id: str, idempotency_key: str | None) -> Any:
    """Issue a visitor's key: the landlord's waits for an occupant's consent, an occupant's for nobody.

    发出临时钥匙：有人居住时，房东发出的须住户同意；住户发出的无需同意。
    """
    body["sched"] = tuple(WeeklyWindow(**window) for window in body["sched"])
    return visitor_keys.issue_visitor_key(
        world(), account_id=me(), unit_id=unit_id, **body, idempotency_key=idempotency_key
    )


@blueprint.get("/units/<id:unit_id>/visitor-keys")
@blueprint.etag
@blueprint.arguments(Cursor, location="query")
@blueprint.response_page(VisitorKeyShown(many=True))
@blueprint.refuses("unit.not_yours", "right.mandate_over")
def list_visitor_keys(query: dict[str, Any], unit_id: str) -> Any:
    """List the visitors' keys of a unit, for its landlord and its occupants; never who the visitor is.

    查看一间房的临时钥匙（房东和住户）；不显示来访人是谁。
    """
    limit = query["limit"]
    found = visitor_keys.list_visitor_keys(
        world(), account_id=me(), unit_id=unit_id, before=query.get("before"), limit=limit + 1
    )
    return page_by_id(found, limit, lambda card: card.key.id)


@blueprint.get("/visitor-keys/<id:key_id>")
@blueprint.etag
@blueprint.response(200, VisitorKeyShown)
@blueprint.refuses("right.mandate_over")
def get_visitor_key(key_id: str) -> Any:
    """Show a visitor's key.

    查看一把临时钥匙。
    """
    return visitor_keys.get_visitor_key(world(), account_id=me(), key_id=key_id)


@blueprint.put("/visitor-keys/<id:key_id>/consent")
@blueprint.arguments(ConsentGiven)
@blueprint.response(200, VisitorKeyShown)
@blueprint.refuses("visitor.answered")
def answer_visitor_key(body: dict[str, Any], key_id: str) -> Any:
    """Consent to the landlord's key, or refuse and end it; one occupant's word is enough.

    住户同意或拒绝房东发出的临时钥匙；一位住户答复即可。
    """
    return visitor_keys.answer_visitor_key(world(), account_id=me(), key_id=key_id, **body)


@blueprint.delete("/visitor-keys/<id:key_id>")
@blueprint.response(200, VisitorKeyShown)
def end_visitor_key(key_id: str) -> Any:
    """End a visitor's key; the landlord and every occupant may, whoever issued it.

    停用临时钥匙；房东和任何一位住户都可以。
    """
    return visitor_keys.end_visitor_key(world(), account_id=me(), key_id=key_id)


@blueprint.get("/visits/<id:key_id>")
@blueprint.etag
@blueprint.response(200, KeyShown)
def get_my_visit(key_id: str) -> Any:
    """Show a visitor's key this phone holds or held; an ended one says why it opens no more.

    查看本机持有过的一把临时钥匙；已停用的说明原因。
    """
    return visitor_keys.get_my_visit(world(), account_id=me(), key_id=key_id)


@blueprint.get("/visits")
@blueprint.etag
@blueprint.response(200, KeyShown(many=True))
def list_my_visits() -> Any:
    """List the visitors' keys this phone holds.

    查看本机持有的临时钥匙。
    """
    return visitor_keys.list_my_visits(world(), account_id=me())
