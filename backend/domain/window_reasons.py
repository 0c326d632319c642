"""Reasons for which something is refused at the window."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

WINDOW_REASONS: dict[str, Reason] = {
    "visit.over": Reason("conflict", "这次接待已结束。", "This visit is over.",
                         "本人还在的话，请再核对证件，重新开始接待。",
                         "If the person is still there, look at the document again and begin a new visit."),
    "visit.seen": Reason("invalid", "请先当面核对本人和证件原件。", "See the person and the original document first.",
                         "核对后勾选；只收到书面材料的，请选“书面”。",
                         "Tick it when you have; choose “on paper” where only a form was handed in."),
    "visit.present": Reason("conflict", "这件事要本人到场才能办。", "This needs the person to be there.",
                            "请等本人到窗口，核对证件后办理。", "Wait for the person and see the document."),
    "paper.received": Reason("invalid", "收表日期不能在今天之后，也不能早于 {days} 天前。",
                             "The day of receipt is not to come and not older than {days} days.",
                             "请照收表章填写；更早的请交负责人处理。",
                             "Copy it from the stamp; an older one is for your supervisor.", "HK-15"),
    "window.phone_taken": Reason("conflict", "这个手机号已经用于另一个人。",
                                 "This phone belongs to another person already.",
                                 "请用本人自己的手机号。", "Use the person's own phone number."),
    "window.has_phone": Reason("conflict", "本人已经关联了手机。", "A phone is linked already.",
                               "换号请本人用原手机登录后办理，或先核实原号码。",
                               "The person changes it from the old phone, or ask about the old number first."),
    "window.no_phone": Reason("conflict", "本人还没有关联手机。", "No phone is linked yet.",
                              "先关联本人手机，或打印登记凭证。",
                              "Link the person's phone first, or print the receipt."),
    "stay.offered": Reason("conflict", "这个单元有一份写着本人证件号码、等待接受的租约。",
                           "A lease with this document number waits to be accepted for this unit.",
                           "请先接受租约，再申报。", "Accept the lease first, then declare."),
    "stay.own": Reason("conflict", "本人是这个单元的房东。", "The person is the landlord of this unit.",
                       "自己的房屋不按租住申报；登记有误的，请反映“登记信息有误”。",
                       "One's own house is not declared as let; if the record is wrong, report “My data is wrong”."),
    "window.no_offer": Reason("not_found", "没有写着本人证件号码、等待接受的租约。",
                              "No lease with this document number waits to be accepted.",
                              "请房东核对租约里的证件号码。", "Ask the landlord to check the number in the lease."),
}
