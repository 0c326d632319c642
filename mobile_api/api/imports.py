"""Imports of the lists landlords keep: upload, look at the rehearsal, start, follow, stop."""

from __future__ import annotations

from typing import Any

from flask import Response, url_for

from backend.queries.imports import RowView
from backend.services import import_templates, own_imports
from backend.web import language
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.imports import (
    ImportShown,
    ImportStarted,
    ListUploaded,
    RowCursor,
    RowsShown,
    TemplateWishes,
)

blueprint = Blueprint("imports", "导入租客名单", "Imports of tenancies")


@blueprint.post("/imports")
@blueprint.arguments(ListUploaded, location="multipart")
@blueprint.response(202, ImportShown)
@blueprint.refuses(
    "landlord.unidentified",
    "table.kind",
    "table.old_excel",
    "table.too_large",
    "table.broken",
    "table.encoding",
    "table.no_header",
    "table.missing_column",
    "table.double_column",
    "table.empty",
)
@blueprint.creates
def upload(body: dict[str, Any], idempotency_key: str | None) -> Any:
    """Upload a list of tenancies; each row is rehearsed and nothing is recorded before the start.

    上传租客名单：先逐行检查，开始之前不录入。
    """
    name, content = body["file"]
    view = own_imports.upload_leases(
        world(), account_id=me(), name=name, content=content, idempotency_key=idempotency_key
    )
    return view, 202, {"Location": url_for("api.imports.get_import", import_id=view.id)}


@blueprint.get("/imports")
@blueprint.response(200, ImportShown(many=True))
def list_imports() -> Any:
    """List one's latest imports, newest first.

    查看导入记录。
    """
    return own_imports.list_imports(world(), account_id=me())


@blueprint.get("/imports/template")
@blueprint.arguments(TemplateWishes, location="query")
@blueprint.file(*import_templates.KINDS.values())
def get_template(query: dict[str, Any]) -> Response:
    """Get the list to fill in, with an invented row, as CSV or XLSX in the language of Accept-Language.

    获取要填写的名单模板（CSV 或 XLSX），含一行虚构示例。
    """
    content, kind = import_templates.make_lease_template(language(), query["ending"])
    return Response(content, mimetype=kind)


@blueprint.get("/imports/<id:import_id>")
@blueprint.etag
@blueprint.response(200, ImportShown)
def get_import(import_id: str) -> Any:
    """Show how far an import is.

    查看导入进展。
    """
    return own_imports.get_import(world(), account_id=me(), import_id=import_id)


@blueprint.post("/imports/<id:import_id>/start")
@blueprint.arguments(ImportStarted)
@blueprint.response(202, ImportShown)
@blueprint.refuses("import.not_ready", "import.file_gone")
def start(body: dict[str, Any], import_id: str) -> Any:
    """Start an import that has been checked, or take up one that was stopped; rows that are done stay as they are.

    开始导入，或接着导入；已导入的行不会重复。
    """
    return own_imports.start_import(world(), account_id=me(), import_id=import_id, **body)


@blueprint.get("/imports/<id:import_id>/rows")
@blueprint.arguments(RowCursor, location="query")
@blueprint.response(200, RowsShown)
def list_rows(query: dict[str, Any], import_id: str) -> Any:
    """List what became of the rows, or what would become of them; no answer repeats what stood in a cell.

    逐行结果；不重复单元格内容。
    """
    outcome = query.pop("outcome", None)
    page = own_imports.list_import_rows(
        world(), account_id=me(), import_id=import_id, outcomes=(outcome,) if outcome else (), **query
    )
    return {"rows": [_row(row) for row in page.rows], "next": page.next}


@blueprint.delete("/imports/<id:import_id>")
@blueprint.response(204)
@blueprint.refuses("import.finished")
def stop(import_id: str) -> None:
    """Take an import back before its start, which deletes the file; one that runs stops, what is done stays.

    开始前撤回并删除文件；正在导入的会停止，已导入的保留。
    """
    own_imports.stop_import(world(), account_id=me(), import_id=import_id)


def _row(row: RowView) -> dict[str, Any]:
    spoken = language()
    errors = [
        {"field": e.field, "code": e.code, "detail": e.sentence(spoken), "remedy": e.remedy(spoken)} for e in row.errors
    ]
    return {"number": row.number, "outcome": row.outcome, "object_id": row.object_id, "errors": errors}
