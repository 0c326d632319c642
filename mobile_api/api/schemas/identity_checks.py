"""The identity check: challenge, pictures, outcome, other ways."""

from __future__ import annotations

import json
import re
from typing import Any

from flask_smorest.fields import Upload
from marshmallow import ValidationError, fields

from mobile_api.api.schemas.base import Input, Output
from mobile_api.api.schemas.fields import Choice, Fault, Flag, Id, Moment, Part, Several, Text, Whole, wrong_type

DOCUMENT_BYTES = 10 * 1024 * 1024
FRAME_BYTES = 400 * 1024  # a 640 × 480 JPEG is some 60 kB
MOST_FRAMES = 40
TIMES_WORDS = "每张照片的拍摄时刻（毫秒），JSON 列表 · capture times in ms, a JSON list"
_SHA256 = re.compile(r"[0-9a-f]{64}")
EXAMPLE_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


class Picture(Upload):
    """An uploaded picture as bytes, at most `most_bytes` long; it lives in memory only."""

    default_error_messages = {"required": "input.missing", "null": "input.missing"}

    def __init__(self, zh: str, en: str, most_bytes: int, **more: Any) -> None:
        self.most_bytes = most_bytes
        words = {"description": f"{zh} · {en}", "examples": ["(JPEG)"], "contentMediaType": "image/jpeg"}
        super().__init__(metadata=words, **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> bytes:
        if not hasattr(value, "stream"):
            raise wrong_type("文件 file")
        content: bytes = value.stream.read(self.most_bytes + 1)
        if len(content) > self.most_bytes:
            raise ValidationError([Fault("input.too_large")])
        if not content:
            raise ValidationError([Fault("input.missing")])
        return content


class Times(fields.Field[list[int]]):
    """Capture times in milliseconds as a JSON list in a form field."""

    default_error_messages = {"required": "input.missing", "null": "input.missing", "invalid": "input.malformed"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> list[int]:
        try:
            times = json.loads(value) if isinstance(value, str) and len(value) < 2000 else None
        except (ValueError, RecursionError):
            times = None
        if not isinstance(times, list) or not all(type(at) is int and 0 <= at < 10**10 for at in times):
            raise wrong_type("[0, 250, 500, …] ms")
        return times


class DocumentHash(Text):
    """SHA-256 in hexadecimal."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> str:
        if not isinstance(value, str) or not _SHA256.fullmatch(value):
            raise wrong_type("64 × 0–9 a–f")
        return value


class DocumentUpload(Input):
    document = Picture("证件人像面", "Portrait side of the document", DOCUMENT_BYTES, required=True)


class ChallengeAsked(Input):
    document_sha256 = DocumentHash(
        "证件照片的 SHA-256（十六进制）",
        "SHA-256 of the document's picture, hexadecimal",
        EXAMPLE_HASH,
        least=64,
        most=64,
        required=True,
    )


class ChallengeShown(Output):
    id = Id("动作提示编号", "Id of the challenge")
    nonce = Text("一次性随机数", "Nonce, good once", "kVx2c0uXbq7m4n1TtqBzjA")
    actions = Several(Text("动作", "Action", "turn_left"), "依次完成的动作", "Actions, in this order")
    expires_at = Moment("到期", "Good until", "2026-11-23T06:31:00+00:00")


class CheckUpload(Input):
    challenge_id = Id("动作提示编号", "Id of the challenge", required=True)
    nonce = Text("一次性随机数", "Its nonce", "kVx2c0uXbq7m4n1TtqBzjA", most=200, required=True)
    times = Times(
        required=True, metadata={"type": "string", "description": TIMES_WORDS, "examples": ["[0, 250, 500, 750]"]}
    )
    document = Picture("证件人像面", "Portrait side of the document", DOCUMENT_BYTES, required=True)
    frames = Several(
        Picture("连续自拍中的一张", "One picture of the burst", FRAME_BYTES),
        "连续自拍（640×480 JPEG）",
        "Burst of live pictures (640 × 480 JPEG)",
        required=True,
    )


class ReasonShown(Output):
    code = Text("原因代码", "Reason code", "too_dark")
    zh = Text("说明", "In Chinese", "光线太暗。")
    en = Text("英文说明", "In English", "It is too dark.")
    tip_zh = Text("怎么办", "Tip in Chinese", "请面向窗户或开灯。", least=0)
    tip_en = Text("怎么办（英文）", "Tip", "Face a window or switch on a light.", least=0)


class DocumentLook(Output):
    usable = Flag("照片是否可以用", "Whether the picture can be compared")
    reasons = Several(Part(ReasonShown, "原因", "A reason"), "要重拍的原因", "Why it must be taken again; else empty")


class OutcomeShown(Output):
    decision = Choice(
        "结果", "Decision; nobody is refused by a machine", "match", ("match", "review", "no_match", "retake")
    )
    reasons = Several(Part(ReasonShown, "原因", "A reason"), "原因", "Reasons")
    tries_left = Whole("还可以试几次", "Tries left", 3)
    state = Choice("身份状态", "State of the identity", "verified", ("none", "attested", "verified"))
    case_reference = Text("事项编号", "Reference of the case, when a person takes over", None, allow_none=True)
    other_ways = Several(Text("其他方式", "Another way, counting the same", "window"), "其他方式", "Other ways")


class WayChosen(Input):
    way = Choice("方式", "Way", "window", ("window", "live_video"), required=True)


class CaseShown(Output):
    reference = Text("事项编号", "Reference of the case", "SH-20261123-0007")
    due_at = Moment("期限", "To be done by", allow_none=True)


class IdentityProgress(Output):
    state = Choice("身份状态", "State of the identity", "none", ("none", "attested", "verified"))
    consent = Flag(
        "是否同意人脸核验；未答为 null", "Consent to the face check; null when not answered", None, allow_none=True
    )
    tries_left = Whole("还可以试几次", "Tries left", 3)
    case_reference = Text("事项编号", "Reference of the open case", None, allow_none=True)
    case_due_at = Moment("事项期限", "To be done by", None, allow_none=True)
    face_available = Flag("人脸核验是否可用", "Whether the face check is available")
    network_identity_available = Flag("国家网络身份认证是否可用", "Whether the national network identity is offered")
    face_allowed = Flag("是否可用人脸核验（未满 14 周岁不可）", "Whether it may be used at all; under 14 it may not")
