"""Reasons for which something about a visit is refused."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

VISIT_REASONS: dict[str, Reason] = {
    "field.due": Reason("invalid", "走访日期应在今天到 {days} 天之内。", "The day is today or within {days} days.",
                        "请选择其中一天。", "Choose one of these days."),
    "field.assignee": Reason("invalid", "不能派给这位工作人员。", "This member of staff cannot be sent.",
                             "请从列表中选；网格员只能安排自己。",
                             "Choose one of the list; a grid worker plans for herself alone."),
    "field.no_ground": Reason("conflict", "这个单元没有需要走访的事由。", "There is no ground to visit this unit.",
                              "登记齐全的住户不上门打扰；有人反映问题的，请从那件事项安排。",
                              "Where all is registered nobody is disturbed; if something was reported, plan from it."),
    "field.planned": Reason("conflict", "已有一次同样事由的待走访。", "Such a visit is planned already.",
                            "请在那次走访里改派或改期。", "Change its day or who goes."),
    "field.done": Reason("conflict", "这次走访已有结果。", "What came of this visit is noted already.",
                         "没有再保存一次。情况有变的，请负责人重新安排。",
                         "Nothing was saved a second time. If things have changed, ask for a new visit."),
    "field.withdrawn": Reason("conflict", "这次走访已取消，不必再去。",
                              "This visit is no longer needed.",
                              "取消以后做的走访不保存。确有新情况的，请告诉负责人。",
                              "A visit made after that is not saved. Tell your supervisor what is new."),
    "field.not_yours": Reason("conflict", "这次走访已改派给别人。", "This visit was given to somebody else.",
                              "没有保存。您已经去过的，请告诉现在的走访人。",
                              "Nothing was saved. If you were there, tell whoever has it now."),
    "field.no_count": Reason("invalid", "这个结果不记人数。", "Nobody is counted with this outcome.",
                             "请清空人数，或换一个结果。", "Leave the numbers empty, or choose another outcome."),
    "field.count": Reason("invalid", "人数应为 0–{most}。", "A number is 0–{most}.",
                           "请核对人数。", "Check the number."),
    "field.nothing_registered": Reason("conflict", "安排走访以后，这个单元没有新的申报。",
                                       "Nobody has registered here since the visit was planned.",
                                       "先当场办理登记，再选这个结果；没有办成的，请选“已当面告知”。",
                                       "Register first; where that did not work, choose “met and informed”."),
    "field.act": Reason("conflict", "这件事不能在门口办。", "This cannot be done at the door.",
                        "请本人到窗口，或用手机办理。", "At the window, or on the person's own phone."),
    "field.elsewhere": Reason("conflict", "这次走访只办这个单元的登记。", "A visit serves the unit it was planned for.",
                              "其他住处请到窗口办理。", "For another home, come to the window."),
}  # fmt: skip
