"""The address base: dwellings and units to choose from, and the code tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.registrations import CHECK_OUT_REASONS, REASONS_OF_STAY
from backend.domain.spaces import LETTABLE, RIGHT_NAMES, SPACE_NAMES
from backend.queries import dwellings
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.access_records import CodeTables
from mobile_api.api.schemas.dwellings import DwellingDetail, DwellingSearch, DwellingShown

blueprint = Blueprint("dwellings", "地址库", "Address base")


@blueprint.get("/dwellings")
@blueprint.arguments(DwellingSearch, location="query")
@blueprint.response(200, DwellingShown(many=True))
def search_dwellings(query: dict[str, Any]) -> Any:
    """Search dwellings by words of their address.

    按地址文字查找房屋。
    """
    return dwellings.search_dwellings(query["q"], query["limit"])


@blueprint.get("/dwellings/<id:dwelling_id>")
@blueprint.response(200, DwellingDetail)
def get_dwelling(dwelling_id: str) -> Any:
    """Show a dwelling with its units; whether one is claimed, never by whom.

    查看一处房屋的房间；只显示是否已登记，不显示是谁。
    """
    return dwellings.get_dwelling(dwelling_id)


@blueprint.get("/code-tables")
@blueprint.response(200, CodeTables)
def list_codes() -> Any:
    """List document types, kinds of space, rights, reasons, in both languages.

    查看代码表：证件类型、空间种类、出租权利、事由。
    """
    return {
        "document_types": [{"code": t.code, "zh": t.zh, "en": t.en, "allowed": True} for t in DOCUMENT_TYPES.values()],
        "space_kinds": _rows(SPACE_NAMES, LETTABLE),
        "right_kinds": _rows(RIGHT_NAMES, RIGHT_NAMES),
        "reasons_of_stay": _rows(REASONS_OF_STAY, REASONS_OF_STAY),
        "check_out_reasons": _rows(CHECK_OUT_REASONS, CHECK_OUT_REASONS),
    }


def _rows(table: Mapping[str, tuple[str, str]], allowed: Any) -> list[dict[str, Any]]:
    return [{"code": code, "zh": zh, "en": en, "allowed": code in allowed} for code, (zh, en) in table.items()]
