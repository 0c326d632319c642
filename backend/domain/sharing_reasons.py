"""Reasons of sharing with other offices: agreements, and the calls that offices make."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

SHARING_REASONS: dict[str, Reason] = {
    "agreement.subscriber": Reason("invalid", "单位代号应为 3–39 位小写字母、数字或连字符，以字母开头。",
                                   "A subscriber's name has 3–39 lower-case letters, digits, hyphens, a letter first.",
                                   "请修改代号。", "Change it."),
    "agreement.area": Reason("invalid", "区域应为 2、4、6、9 或 12 位行政区划代码。",
                             "Each area is a division code of 2, 4, 6, 9 or 12 digits.", "请核对代码。",
                             "Check the codes."),
    "agreement.legal_basis": Reason("invalid", "这项用途的法律依据只能是：{allowed}。",
                                    "The legal basis of this purpose must be one of: {allowed}.", "请填写条款编号。",
                                    "Give the rule's id."),
    "agreement.webhook": Reason("invalid", "推送地址须为 https 地址，拉取方式不填地址。",
                                "Deliveries need an https address; an office that pulls has none.", "请核对地址。",
                                "Check the address."),
    "agreement.keys": Reason("invalid", "公钥（JWKS）无法使用，或已属于另一个单位。",
                             "The public keys (JWKS) cannot be used, or belong to another office.",
                             "请向该单位索取 P-256 公钥。", "Ask the office for its P-256 public keys."),
    "agreement.state": Reason("conflict", "协议现在的状态不允许这样做（只能在：{allowed}）。",
                              "The agreement's state does not allow this (only: {allowed}).", "请先查看协议状态。",
                              "Look at the agreement first."),
    "agreement.four_eyes": Reason("forbidden", "须由另一位负责人批准。", "A second, different supervisor must approve.",
                                  "请另一位负责人登录批准。", "Ask another supervisor."),
    "agreement.supervisor": Reason("forbidden", "只有负责人可以批准。", "Only a supervisor approves.",
                                   "请负责人办理。", "Ask a supervisor."),
    "office.signature": Reason("unauthenticated", "请求的签名、时间或单位不对。",
                               "The call's signature, time or subscriber does not fit.",
                               "请按接口说明签名，并校准时钟。", "Sign it as described and check the clock."),
    "office.agreement": Reason("forbidden", "没有生效的数据共享协议。", "There is no data-sharing agreement in force.",
                               "请联系对接人员。", "Ask your contact."),
}
