"""A registry's refusal in the words of the person it concerns: what is wrong, what to do, and who does it.

The registry's own words are made for offices; they stay with the record and on the console.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class RejectionWords:
    """What is wrong, and what the one who can mend it does, in both languages."""

    zh: str
    en: str
    todo_zh: str
    todo_en: str


_WRITE_AGAIN = ("照证件改好后再提交。", "Correct it as the document has it and hand it in again.")
_WINDOW = ("核对无误的，带证件到窗口。", "If it is right, bring the document to the window.")
_NAME_AGAIN = (
    "请在租约里“更正租客信息”，照证件重填；核对无误的，到窗口。",
    "Correct the tenant's details in the lease as the document has them; if they are right, come to the window.",
)
_OF_THE_NAMED = ("2001", "2002", "2003", "3001", "3002", "3003")  # about what a landlord wrote of the tenant
_WORDS: dict[str, RejectionWords] = {
    "2001": RejectionWords(
        "这一项还没有填。", "This is not filled in yet.", "补填后再提交。", "Fill it in and hand it in again."
    ),
    "2002": RejectionWords("这一项太长或太短。", "This is too long or too short.", *_WRITE_AGAIN),
    "2003": RejectionWords("这一项里有不能用的符号。", "This contains a sign that cannot be used.", *_WRITE_AGAIN),
    "3001": RejectionWords("证件号码有一位不对。", "One digit of the document number is wrong.", *_WRITE_AGAIN),
    "3002": RejectionWords("姓名和证件号码对不上。", "Name and document number do not belong together.", *_WINDOW),
    "3003": RejectionWords(
        "出生日期或性别和证件号码对不上。", "Birth date or sex does not fit the document number.", *_WINDOW
    ),
    "3004": RejectionWords(
        "未满十六周岁，需要监护人。",
        "Under sixteen: a guardian is needed.",
        "请监护人来申报。",
        "The guardian declares.",
    ),
    "4001": RejectionWords(
        "这间房还没有登记出租。",
        "This room is not recorded as let.",
        "请在“房间”里核对地址和房间；都对的，到窗口。",
        "Check address and room under “Rooms”; if they are right, come to the window.",
    ),
    "4003": RejectionWords(
        "您在别处的登记还没有办离开，这次登记照样有效。",
        "You are still registered elsewhere; this registration counts all the same.",
        "请在原来的住处办理“我要搬走”。",
        "Move out of the former home under “I am moving out”.",
    ),
}
_OF_OTHERS = {
    "OPERATOR": RejectionWords(
        "登记机关没有收下，原因在我们的系统。",
        "The registry did not take it; the fault lies in our system.",
        "由平台工作人员更正并重新报送，您不用做什么。",
        "Our staff mend it and send it again; you need do nothing.",
    ),
    "REGISTRY": RejectionWords(
        "登记机关的系统暂时办不了。",
        "The registry's system cannot do it just now.",
        "会自动再报送，您不用做什么。",
        "It is sent again by itself; you need do nothing.",
    ),
    "LANDLORD": RejectionWords(
        "房东报告的内容需要更正。",
        "What the landlord reported needs a correction.",
        "由房东更正，房东已收到消息。",
        "The landlord mends it and has been told.",
    ),
    "TENANT": RejectionWords(
        "这一项登记机关没有收下。",
        "The registry did not take this.",
        "请核对后再提交；看不出错在哪里，带证件到窗口。",
        "Check it and hand it in again; if you see nothing wrong, bring the document to the window.",
    ),
}


def explain_rejection(code: str, owner: str, reader: str = "TENANT") -> RejectionWords:
    """The words for a registry's `code`, which `owner` can mend, to a `reader`: TENANT or LANDLORD.

    What somebody else mends is explained by who does it; so is a code that is not known.
    """
    if owner != reader:
        return _OF_OTHERS[owner]
    words = _WORDS.get(code) or _OF_OTHERS["TENANT"]
    if reader == "LANDLORD" and code in _OF_THE_NAMED:
        return replace(words, todo_zh=_NAME_AGAIN[0], todo_en=_NAME_AGAIN[1])
    return words
