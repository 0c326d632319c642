"""Base of all schemas, and the example a schema makes of its fields' examples."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, fields

from mobile_api.api.schemas.fields import Part, Several, Text, Whole


class Input(Schema):
    """What comes in: an unknown field is an error, so that a typing mistake is never silently ignored."""

    error_messages = {"unknown": "input.unknown_field", "type": "input.malformed"}

    class Meta:
        unknown = RAISE


class Output(Schema):
    """What goes out: every named field, always present (null where there is nothing to say)."""

    class Meta:
        unknown = EXCLUDE

    def on_bind_field(self, field_name: str, field_obj: fields.Field) -> None:
        """Document each field as present; dumping is not affected."""
        field_obj.required = True


class FieldProblem(Output):
    """One fault at one field."""

    pointer = Text("字段的 JSON 指针", "JSON pointer to the field", "/phone")
    code = Text("原因代码", "Reason code", "phone.invalid")
    detail = Text("说明", "What is wrong", "手机号不正确。")
    remedy = Text("怎么办", "What to do", "请输入 11 位手机号。")


class Problem(Schema):
    """Problem details after RFC 9457: reason, field, legal rule, remedy, what is allowed."""

    type = Text(
        "问题类型", "Type of problem, a link to its explanation", "/api/v1/problems#phone.invalid", required=True
    )
    title = Text("标题（英文）", "Title in English", "This is not a mobile number.", required=True)
    status = Whole("HTTP 状态码", "HTTP status", 422, required=True)
    code = Text("原因代码", "Reason code", "phone.invalid", required=True)
    detail = Text("说明", "What is wrong, in the language asked for", "手机号不正确。", required=True)
    remedy = Text("怎么办", "What to do about it", "请输入 11 位手机号。", least=0, required=True)
    instance = Text("请求路径", "Path of the request", "/api/v1/auth/codes", required=True)
    request_id = Text("请求编号", "Id of the request, to quote when asking for help", "9b1d…", required=True)
    rule = Text("法规编号", "Id of the legal rule behind it", "HR-7")
    allowed = Several(Text("可选值", "Allowed value", "bedroom"), "可以用的值", "What would be accepted")
    field = Text("字段", "The first faulty field", "phone")
    errors = Several(
        Part(FieldProblem, "字段问题", "A fault at a field"), "逐个字段的问题", "All faults, field by field"
    )


def example_of(schema: Any) -> dict[str, Any]:
    """The example a schema makes of its fields' examples."""
    instance = schema() if isinstance(schema, type) else schema
    return {name: _example(field) for name, field in instance.fields.items()}


def _example(field: fields.Field) -> Any:
    if isinstance(field, fields.Nested):
        one = example_of(field.schema)
        return [one] if field.schema.many else one
    if isinstance(field, fields.List):
        return [_example(field.inner)]
    return field.metadata["examples"][0]


class Cursor(Input):
    """Keyset paging: where to go on, and how many."""

    before = Text("从此游标往前", "Go on before this cursor (`next` of the page before)", "01936f0c-7a10", most=120)
    limit = Whole("每页条数", "How many", 50, least=1, most=200, query=True, load_default=50)
