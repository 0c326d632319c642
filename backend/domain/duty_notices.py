"""What is said to the one who owes a duty. `{unit}` is a door number, `{due_on}` a day; nobody is named."""

from __future__ import annotations

from backend.domain.inbox_texts import InboxText

DUTY_INBOX: dict[str, InboxText] = {
    "declare_due": InboxText(
        "请申报居住登记",
        "Please declare your residence",
        "请在 {due_on} 前（含当日）完成 {unit} 的申报。",
        "Please declare your residence in {unit} by {due_on}.",
    ),
    "declare_overdue": InboxText(
        "申报已过期限",
        "Your declaration is late",
        "{unit} 的申报期限是 {due_on}。现在补办即可；钥匙不受影响。",
        "Your residence in {unit} was to be declared by {due_on}. Do it now; your key stays as it is.",
    ),
    "report_due": InboxText(
        "请报告租客",
        "Please report your tenant",
        "请在 {due_on} 前（含当日）报告 {unit} 的租客。",
        "Please report the tenant of {unit} by {due_on}.",
    ),
    "report_overdue": InboxText(
        "报告已过期限",
        "Your report is late",
        "{unit} 的租客应在 {due_on} 前报告。现在补报即可。",
        "The tenant of {unit} was to be reported by {due_on}. Please do it now.",
    ),
    "report_end_due": InboxText(
        "请报告租约结束",
        "Please report the end of the lease",
        "{unit} 的租约已到期：请在 {due_on} 前续租，或报告租客已离开。",
        "The lease of {unit} is over: extend it or report the end by {due_on}.",
    ),
    "report_end_overdue": InboxText(
        "租约结束尚未报告",
        "The end of a lease is not reported",
        "{unit} 的租约应在 {due_on} 前续租或报告结束。请现在办理。",
        "The lease of {unit} was to be extended or its end reported by {due_on}. Please do it now.",
    ),
    "foreign_due": InboxText(
        "请办理住宿登记",
        "Please register your stay",
        "{unit}：请在 {due_on} 前携带登记表到派出所办理住宿登记。",
        "{unit}: please take the form to the police station by {due_on}.",
    ),
    "foreign_overdue": InboxText(
        "住宿登记已过期限",
        "The registration of your stay is late",
        "{unit}：住宿登记的期限是 {due_on}。请尽快到派出所补办；钥匙不受影响。",
        "{unit}: your stay was to be registered by {due_on}. Please go to the police station soon; "
        "your key stays as it is.",
    ),
    "change_due": InboxText(
        "请更正变更申报",
        "Please mend your reported change",
        "{unit} 的变更申报被退回，请在 {due_on} 前更正。",
        "The change you reported for {unit} came back. Please mend it by {due_on}.",
    ),
    "change_overdue": InboxText(
        "变更申报已过期限",
        "Your reported change is late",
        "{unit} 的变更应在 {due_on} 前申报。请现在更正。",
        "The change for {unit} was to be reported by {due_on}. Please mend it now.",
    ),
    "exemption_ends": InboxText(
        "不登记的情形将到期",
        "Your exemption ends soon",
        "{unit} 可以不登记的期限到 {due_on} 为止。之后仍住的，请在 3 日内申报。",
        "You need not be registered in {unit} until {due_on}. If you stay on, declare within 3 days after it.",
    ),
    "permit_soon": InboxText(
        "快可以申领居住证了",
        "You can soon ask for the residence permit",
        "从 {due_on} 起可以申领居住证（{unit}）。",
        "From {due_on} you can ask for the residence permit ({unit}).",
    ),
    "permit_open": InboxText(
        "可以申领居住证了",
        "You can ask for the residence permit",
        "从 {due_on} 起可以申领居住证（{unit}）。",
        "Since {due_on} you can ask for the residence permit ({unit}).",
    ),
    "endorsement_due": InboxText(
        "请办理居住证签注",
        "Please have your residence permit endorsed",
        "请在 {due_on} 前办理签注（{unit}）。逾期只是中止使用，补办后恢复。",
        "Please have it endorsed by {due_on} ({unit}). Late means suspended until it is done.",
    ),
    "lease_ends": InboxText(
        "租约将到期",
        "The lease ends soon",
        "{unit} 的租约于 {ends_on} 到期。没有退房，钥匙不会失效。",
        "The lease of {unit} ends on {ends_on}. Without a check-out the key stays alive.",
    ),
    "lease_over": InboxText(
        "租约已到期",
        "The lease is over",
        "{unit} 的租约已于 {due_on} 到期：续租还是退房？没有退房，钥匙不会失效。",
        "The lease of {unit} ended on {due_on}: extend it, or check out? Without a check-out the key stays alive.",
    ),
    "answer_left": InboxText(
        "您还住着吗？",
        "Do you still live there?",
        "房东说您已离开 {unit}。请在 {due_on} 前回答；不回答由工作人员核实，钥匙不受影响。",
        "Your landlord says you have left {unit}. Please answer by {due_on}; without an answer a person "
        "looks into it, and your key stays alive.",
    ),
    "draft_expires": InboxText(
        "申报草稿将到期",
        "Your draft expires soon",
        "{unit} 的申报还没有提交，草稿保留到 {due_on}，之后可以重新填写。",
        "Your declaration for {unit} is not handed in. The draft is kept until {due_on}; after that "
        "you can fill it in again.",
    ),
}
