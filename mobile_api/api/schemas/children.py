"""Children under 16 and their guardian."""

from __future__ import annotations

from backend.domain.documents import DOCUMENT_TYPES
from backend.domain.guardians import RELATIONS
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Day, Flag, Id, Moment, Text
from mobile_api.api.schemas.me import BANDS, DOCUMENT_STATES, STATES


class ChildEntered(Input):
    name = Text("姓名", "Name as on the document", "周小福", most=80, required=True)
    id_type = Choice("证件类型", "Document type", "111", DOCUMENT_TYPES, required=True)
    id_number = Text("证件号码", "Document number", "341822201503040004", most=32, required=True)
    relation = Choice("监护关系", "The guardian's relation", "mother", RELATIONS, required=True)
    notice_version = Text("所读告知书版本", "Version of the notice that was read", "2026-12", most=40, required=True)
    birth_on = Day(
        "出生日期，证件号码不含时填写", "Date of birth where the number does not say it", "2015-03-04", allow_none=True
    )
    hukou_division = Text(
        "户籍地六位代码", "Place of household registration, six digits", "341524", most=12, allow_none=True
    )


class ConsentForChild(Input):
    notice_version = Text("所读告知书版本", "Version of the notice that was read", "2026-12", most=40, required=True)


class ChildShown(Output):
    person_id = Id("人员编号", "Id of the child")
    name = Text("姓名", "Name", "周小福")
    id_type = Choice("证件类型", "Document type", "111", DOCUMENT_TYPES)
    id_number_masked = Text("证件号码（遮盖）", "Document number, masked", "341*************04")
    relation = Choice("监护关系", "The guardian's relation", "mother", RELATIONS)
    age_band = Choice("年龄段", "Age band", "under_14", BANDS)
    state = Choice("核验状态", "attested: on the guardian's word, to be seen at the window", "attested", STATES)
    document_state = Choice("姓名与号码的核对", "What the authority said", "matched", DOCUMENT_STATES)
    consent = Flag("监护人是否同意；撤回后为 null", "The guardian's consent; null when withdrawn", allow_none=True)
    case_reference = Text("复核事项编号", "Reference of the review", "AJ-20261123-0007", allow_none=True)
    case_due_at = Moment("复核期限", "To be done by", allow_none=True)
