"""Reasons of the loop: reports, their check and rating, and requests for help."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

CASE_REASONS: dict[str, Reason] = {
    "case.nothing_to_send": Reason(
        "conflict",
        "没有可以重新报送的：已经受理，或正在报送。",
        "There is nothing to send again: it was accepted, or is on its way.",
        "请刷新页面看现在的状态。",
        "Reload the page to see where it stands.",
    ),
    "report.facts": Reason(
        "invalid",
        "有一项不属于这类问题。",
        "One of these does not belong to this kind of report.",
        "请重新选择。",
        "Choose again.",
    ),
    "report.number": Reason(
        "invalid",
        "请不要写电话、证件等号码。",
        "Please write no phone or document numbers.",
        "只写房屋或门锁的情况。",
        "Write about the dwelling or the lock only.",
    ),
    "report.unit": Reason(
        "not_found",
        "没有这个门牌编号。",
        "There is no unit with this number.",
        "请扫门牌二维码，或核对编号。",
        "Scan the code at the door, or compare the number.",
    ),
    "report.not_own": Reason(
        "forbidden",
        "这类问题只能反映自己的住处或房屋。",
        "This can be reported about your own dwelling only.",
        "请选自己的住处；别处的安全隐患可以选“房屋不安全”。",
        "Choose your own; what is unsafe elsewhere can be reported as unsafe.",
    ),
    "report.too_many": Reason(
        "too_many",
        "今天反映的次数太多了。",
        "Too many reports were made today.",
        "请明天再试，或到窗口、打电话。",
        "Try again tomorrow, or come to the window.",
    ),
    "report.needs_person": Reason(
        "invalid",
        "这类事项只能由本人提出。",
        "This can only be brought up by the person themselves.",
        "请本人用手机反映，或带证件到窗口。",
        "On their own phone, or at the window with their document.",
    ),
    "report.place": Reason(
        "invalid",
        "请先选定是哪一处房屋。",
        "Choose first which dwelling it is about.",
        "可以按门牌编号或地址查找。",
        "Find it by the number at the door, or by address.",
    ),
    "report.sent_before": Reason(
        "conflict",
        "这张表已经登记过，编号 {reference}；后来改的内容没有记下。",
        "This form was already submitted as {reference}; what was changed since is not in it.",
        "是另一个人或另一件事：再提交一次，就另记一件。只想补充：请把补充内容告诉承办人。",
        "Another person or another matter: submit once more and it becomes a case of its own. To add to the first, "
        "tell whoever handles it.",
    ),
    "report.no_caller": Reason(
        "conflict",
        "这件事项没有等回电的人。",
        "Nobody waits to be called back about this.",
        "请刷新页面看现在的状态。",
        "Reload the page to see how it stands.",
    ),
    "report.own_work": Reason(
        "forbidden",
        "自己办理或复核的事项，不能由自己录入评价。",
        "You cannot enter the rating of a case you handled or checked.",
        "请同事来录入；“没有解决”谁都可以录入。",
        "Ask a colleague; anyone may record that it is not solved.",
    ),
    "report.reopened": Reason(
        "conflict",
        "这件事已经重新办理过一次。",
        "This was reopened once already.",
        "请作为新的问题反映，或到窗口。",
        "Report it anew, or come to the window.",
    ),
    "report.reopen_late": Reason(
        "conflict",
        "答复已超过 {days} 天。",
        "The answer is more than {days} days old.",
        "请作为新的问题反映。",
        "Report it anew.",
    ),
    "report.stay": Reason(
        "conflict",
        "您现在不住在这里。",
        "You do not live there now.",
        "请从现在的住处进入；紧急情况请拨 110。",
        "Go to your present home's page; in an emergency call 110.",
    ),
    "case.own_work": Reason(
        "forbidden",
        "自己办的事项由另一位负责人复核。",
        "Another supervisor checks what you have handled yourself.",
        "请交给另一位负责人。",
        "Leave it to another supervisor.",
    ),
    "case.officer": Reason(
        "invalid",
        "这位工作人员不能办这件事。",
        "This member of staff cannot take this case.",
        "请从列表中选。",
        "Choose one of the list.",
    ),
    "help.own_phone": Reason(
        "invalid",
        "这是您自己的手机号。",
        "This is your own phone.",
        "请填写另一个人的手机号。",
        "Enter somebody else's number.",
    ),
}
