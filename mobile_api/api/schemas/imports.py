"""Imports of a landlord's list."""

from __future__ import annotations

from typing import Any

from flask_smorest.fields import Upload
from marshmallow import ValidationError

from backend.services.own_imports import LIMITS, STATES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Fault, Flag, Id, Moment, Part, Several, Text, Whole, wrong_type

OUTCOMES = ("new", "changed", "same", "kept", "failed")


class ListFile(Upload):
    """An uploaded list as (name, bytes)."""

    default_error_messages = {"required": "input.missing", "null": "input.missing"}

    def __init__(self, zh: str, en: str, **more: Any) -> None:
        super().__init__(metadata={"description": f"{zh} · {en}", "examples": ["(CSV, XLSX)"]}, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> tuple[str, bytes]:
        if not hasattr(value, "stream"):
            raise wrong_type("文件 file")
        content: bytes = value.stream.read(LIMITS.bytes + 1)
        if not content:
            raise ValidationError([Fault("input.missing")])
        return value.filename or "list", content


class ListUploaded(Input):
    file = ListFile(
        "租客名单（CSV 或 XLSX，最多 1000 行、2 MB）",
        "The list: CSV or XLSX, at most 1000 rows and 2 MB",
        required=True,
    )


class ImportStarted(Input):
    send_invitations = Flag(
        "同时给租客发邀请短信；否则只备好链接", "Also send the invitations by SMS; else their links are prepared only",
        False, load_default=False,
    )  # fmt: skip


class OutcomeCounts(Output):
    new = Whole("新录入的租约", "Leases recorded", 12)
    changed = Whole("更新（续租、租金）", "Leases extended or with another rent", 1)
    same = Whole("与已有租约相同", "Rows that say what is known", 3)
    kept = Whole("已结束的租约，保持原样", "Leases that are over, kept as they are", 0)
    failed = Whole("没有导入", "Rows that were not imported", 1)


class ImportShown(Output):
    id = Id("导入编号", "Id of the import")
    file_name = Text("文件名", "Name of the file", "tenants.xlsx")
    state = Choice("状态", "State: checked first, then started by its owner", "ready", STATES)
    fault = Text("没有导入的原因代码", "Reason code when the whole import failed", None, allow_none=True)
    total = Whole("行数", "Rows", 17)
    done = Whole("已处理的行数", "Rows done", 17)
    counts = Part(OutcomeCounts, "各结果的行数", "Rows by outcome; until it is started, by what they would become")
    may_start = Flag("可以开始或接着导入", "Whether it may be started, or taken up again")
    may_stop = Flag("可以停止", "Whether it may be stopped")
    created_at = Moment("上传时间", "Uploaded at")
    file_until = Moment(
        "文件最晚删除时间", "The file is deleted by then, or once imported", "2026-11-24T06:30:00+00:00"
    )


class RowFault(Output):
    field = Text("列", "Column", "tenant_phone", allow_none=True)
    code = Text("原因代码", "Reason code", "phone.invalid")
    detail = Text("说明", "What is wrong, in the language asked for", "手机号不正确。")
    remedy = Text("怎么办", "What to do", "请输入 11 位手机号。", least=0)


class RowShown(Output):
    row = Whole("行号（含表头，与表格软件一致）", "Row as the spreadsheet shows it", 4, attribute="number")
    outcome = Choice("结果", "Outcome, or what it would be", "failed", OUTCOMES)
    lease_id = Id("租约编号", "Id of the lease", None, allow_none=True, attribute="object_id")  # type: ignore[arg-type]
    errors = Several(Part(RowFault, "问题", "A fault or note"), "问题或说明", "Faults and notes")


class RowsShown(Output):
    rows = Several(Part(RowShown, "行", "A row"), "行", "Rows, in the order of the file")
    next = Whole("下一页的游标", "Cursor of the next page (`after`)", None, allow_none=True)


class TemplateWishes(Input):
    ending = Choice("文件种类", "Kind of file", "xlsx", ("csv", "xlsx"), load_default="xlsx")


class RowCursor(Input):
    after = Whole("从此行之后", "Go on behind this row (`next` of the page before)", 0, least=0, most=10**6, query=True,
                  load_default=0)  # fmt: skip
    limit = Whole("每页条数", "How many", 50, least=1, most=200, query=True, load_default=50)
    outcome = Choice("只要这种结果", "Only rows of this outcome", "failed", OUTCOMES)
