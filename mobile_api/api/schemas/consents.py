"""Texts people are shown, and their answers."""

from __future__ import annotations

from backend.domain.notices import NOTICES
from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Flag, Id, Moment, Several, Text


class NoticeTextShown(Output):
    purpose = Choice("用途", "Purpose", "face_check", NOTICES)
    version = Text("版本", "Version", "2026-12")
    fingerprint = Text("文本指纹", "SHA-256 of both languages", "9f86d081884c7d65")
    title_zh = Text("标题", "Title in Chinese", "人脸核验单独同意书")
    title_en = Text("英文标题", "Title in English", "Separate consent to the face check")
    paragraphs_zh = Several(Text("段落", "Paragraph", "照片不保存。", most=2000), "中文段落", "Paragraphs in Chinese")
    paragraphs_en = Several(
        Text("英文段落", "Paragraph", "No picture is kept.", most=2000), "英文段落", "Paragraphs in English"
    )


class ConsentAnswer(Input):
    version = Text("所读文本的版本", "Version of the text that was read", "2026-12", most=20, required=True)
    given = Flag("是否同意", "Yes or no", required=True)


class ConsentShown(Output):
    id = Id("编号", "Id of the answer")
    purpose = Choice("用途", "Purpose", "face_check", NOTICES)
    version = Text("文本版本", "Version of the text", "2026-12")
    given = Flag("是否同意", "Yes or no")
    at = Moment("作答时间", "Answered at")
    withdrawn_at = Moment("撤回时间", "Withdrawn at", None, allow_none=True)
