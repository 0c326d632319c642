"""Reasons for which a change of a registration, an exemption or a step of the foreigners' path is refused."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

PATH_REASONS: dict[str, Reason] = {
    "registration.changed_on": Reason("invalid", "变动日期不能早于入住日期。", "A change cannot lie before the move-in.",
                                      "请核对日期；入住日期有误请一并更正。",
                                      "Check the date; correct the move-in date where that is wrong.", "ZJ-13"),
    "registration.other_unit": Reason(
        "conflict", "换房间不是更正：新的房间要有新的登记。", "Another room is no correction: it needs a registration of its own.",
        "请先为这间房办理退房，再用新房间的邀请申报；同一房东的房子也一样。",
        "Check out of this room, then declare from the new room's invitation; the same landlord's house makes no "
        "difference.", "ZJ-13",
    ),
    "registration.ended_there": Reason(
        "conflict", "登记机关已按“户口迁入本地”办结这条登记，不能再恢复。",
        "The registry has closed this record because you became local; it cannot be opened again.",
        "请办理退房，再由房东重新录入租约后申报。",
        "Check out, let the landlord record the lease anew, and declare.", "ZJ-2",
    ),
    "exempt.over": Reason("conflict", "可不申报的期限已于 {until} 届满。", "The exemption ended on {until}.",
                          "请直接申报居住登记。", "Declare your residence.", "ZJ-12"),
    "exempt.days": Reason("invalid", "住在近亲属家最多 {days} 天可不申报。",
                          "Living with near relatives is exempt for {days} days at most.",
                          "住得更久请申报居住登记。", "Declare your residence if you stay longer.", "ZJ-12"),
    "exempt.declared": Reason(
        "conflict", "您已经由同住的人申报住在这间房，不能再说明不申报。",
        "You have been declared here by those you live with; an exemption cannot take that back.",
        "请直接申报，第一次申报的时间保留；没有住在这里的，请提出异议。",
        "Declare here: the time of the first declaration stays. If you never lived here, object to it.", "ZJ-12",
    ),
    "exempt.not_needed": Reason(
        "conflict", "您的情况不走这条路：外国人另行办理，本地户籍不属于流动人口。",
        "This path is not yours: foreigners register elsewhere, and who has household registration here is out of scope.",
        "请直接申报，系统会按您的情况办理。", "Just declare; what applies to you follows by itself.", "ZJ-12",
    ),
    "foreign.done_on": Reason("invalid", "办理日期不能早于入住日期。", "It cannot have been done before the move-in.",
                              "请核对日期。", "Check the date.", "EEL-39"),
    "withdraw.used": Reason(
        "conflict", "钥匙已经用过，不能撤回。", "The key has been in use already, so this cannot be withdrawn.",
        "如果已搬走，请办理退房。", "If you have left, check out.",
    ),
}
