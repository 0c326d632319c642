"""What the registry says when something is wrong: one table of codes, each with words, an owner and what to do.

The owner is who can mend it. `LEG` stands for the person whose leg was sent: the tenant or the landlord. A retryable
code asks for the same item again later; any other needs a person first. A warning never blocks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

OWNERS = ("TENANT", "LANDLORD", "OPERATOR", "REGISTRY")


@dataclass(frozen=True, slots=True)
class RegistryCode:
    """One code of the registry: its words in Chinese and English, who mends it, and how it is meant."""

    code: str
    zh: str
    en: str
    owner: str
    retryable: bool = False
    warning: bool = False


@dataclass(frozen=True, slots=True)
class ItemError:
    """One thing wrong with one item; `pointer` is a JSON pointer from the item (or from the body) to the field."""

    code: str
    pointer: str
    message_zh: str
    message_en: str
    retryable: bool
    owner: str

    def as_json(self) -> dict[str, object]:
        """The error as it stands in an answer."""
        return {
            "code": self.code,
            "pointer": self.pointer,
            "message_zh": self.message_zh,
            "message_en": self.message_en,
            "retryable": self.retryable,
            "owner": self.owner,
        }


_TABLE = (
    RegistryCode("1001", "签名无效。", "The signature is not valid.", "OPERATOR"),
    RegistryCode("1002", "证书已过期。", "The certificate has expired.", "OPERATOR"),
    RegistryCode("1101", "请求过大。", "The request is too large.", "OPERATOR"),
    RegistryCode("1102", "报文不符合格式。", "The message does not have the agreed form.", "OPERATOR"),
    RegistryCode("2001", "缺少必填项。", "A required field is missing.", "LEG"),
    RegistryCode("2002", "长度不符。", "The length is not right.", "LEG"),
    RegistryCode("2003", "含有不允许的字符。", "A character is not allowed here.", "LEG"),
    RegistryCode("2101", "代码不存在。", "This code is not in the code table.", "OPERATOR"),
    RegistryCode("2102", "代码在该日期已停用。", "This code is no longer in use on that date.", "OPERATOR"),
    RegistryCode("3001", "证件号码校验位不正确。", "The check digit of the document number is wrong.", "LEG"),
    RegistryCode(
        "3002", "证件号码与姓名不匹配，可到窗口核对。", "Number and name do not match; the window can check.", "LEG"
    ),
    RegistryCode("3003", "出生日期或性别与证件号码不一致。", "Birth date or sex contradicts the number.", "LEG"),
    RegistryCode("3004", "未满十六周岁，缺少监护人。", "Under sixteen, and no guardian is named.", "LEG"),
    RegistryCode("3101", "户籍在本县（区），不属登记范围。", "Hukou in the same county: out of scope.", "OPERATOR"),
    RegistryCode("3102", "该情形免于登记。", "This case is exempt from registration.", "OPERATOR"),
    RegistryCode("3103", "境外人员请走住宿登记。", "Foreigners register on a separate path.", "OPERATOR"),
    RegistryCode("4001", "房屋单元未备案。", "The unit is not registered.", "LANDLORD"),
    RegistryCode("4002", "地址无法定位。", "The address cannot be resolved.", "OPERATOR"),
    RegistryCode(
        "4003",
        "此人在别处仍有在住登记，请核对是否已搬离。",
        "This person is still registered elsewhere; please see whether they have moved out there.",
        "LEG",
        warning=True,
    ),
    RegistryCode("4004", "没有这条登记。", "There is no such record.", "OPERATOR"),
    RegistryCode(
        "4091", "登记机关已有相同或更新的版本。", "The registry holds this version or a later one.", "OPERATOR"
    ),
    RegistryCode("4092", "同一请求号用于不同内容。", "The key was already used for other content.", "OPERATOR"),
    RegistryCode("5001", "贵方无权为该单元报送。", "This sender may not report for this unit.", "OPERATOR"),
    RegistryCode("5002", "缺少报送目的。", "The purpose is missing.", "OPERATOR"),
    RegistryCode("5003", "不允许报送该字段。", "This field may not be sent.", "OPERATOR"),
    RegistryCode("9001", "系统繁忙，请稍后再试。", "Busy, try again later.", "REGISTRY", retryable=True),
    RegistryCode("9002", "系统内部错误，请稍后再试。", "Internal error, try again later.", "REGISTRY", retryable=True),
    RegistryCode("9003", "系统维护中，请稍后再试。", "Under maintenance, try again later.", "REGISTRY", retryable=True),
)

CODES: Mapping[str, RegistryCode] = {row.code: row for row in _TABLE}


def item_error(code: str, pointer: str, leg: str = "TENANT") -> ItemError:
    """Make the error of `code` at `pointer`; `leg` decides whose it is when the table says so. KeyError if unknown."""
    row = CODES[code]
    owner = leg if row.owner == "LEG" else row.owner
    return ItemError(row.code, pointer, row.zh, row.en, row.retryable, owner)


def is_blocking(error: ItemError) -> bool:
    """Whether an item with this error is refused; an unknown code blocks, because nobody knows what it means."""
    return is_blocking_code(error.code)


def is_blocking_code(code: str) -> bool:
    """The same by the code alone."""
    row = CODES.get(code)
    return row is None or not row.warning
