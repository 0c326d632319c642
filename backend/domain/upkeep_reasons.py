"""Reasons of what supervisors keep up: local standards, agreements handed in at the console."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

UPKEEP_REASONS: dict[str, Reason] = {
    "standard.value": Reason("invalid", "数值应在 {least} 到 {most} 之间，人数须为整数。",
                             "The value must lie in {least} to {most}; persons are a whole number.",
                             "请核对公布的标准。", "Check the published standard.", rule="HR-7"),
    "standard.starts_on": Reason("invalid", "生效日不能早于今天，也不能晚于三年后。",
                                 "It begins today at the earliest and within three years.",
                                 "已经按原标准核对过的不会改变；请改生效日。",
                                 "What was checked by the earlier standard stays as it is; change the day."),
    "agreement.file": Reason("invalid", "文件里不是一个可读取的 JSON 对象。",
                             "The file does not hold one readable JSON object.",
                             "请上传协议文件（README 有样例）。", "Upload the agreement's file (README shows one)."),
    "agreement.confirm": Reason("invalid", "请先勾选“我已看清后果”。", "Tick “I have read what follows” first.",
                                "终止后不能恢复，只能重新签订。",
                                "An end cannot be undone; a new version would be needed."),
}  # fmt: skip
