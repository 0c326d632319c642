"""The window: what can be done there for a person without a phone, and when a paper form counts as declared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from backend.domain.calendars import start_of
from backend.domain.refusals import Refusal

VISIT_LIFE = timedelta(hours=2)  # one person at one counter, with the waiting for a colleague; then the task is over
PAPER_DAYS = 30  # an older receipt stamp is a question for a person, not an entry


@dataclass(frozen=True)
class WindowAct:
    """One thing an officer does for a person; `on_paper`: a signed form does, else the person stands there.

    `at_door`: a visit can do it too, for whoever lives in the unit visited.
    """

    zh: str
    en: str
    on_paper: bool = True
    at_door: bool = False


ACTS: dict[str, WindowAct] = {
    "open_file": WindowAct("打开本人档案", "Open the file", at_door=True),
    "answer_consent": WindowAct("告知书和同意", "Notice and consent", at_door=True),
    "withdraw_consent": WindowAct("撤回同意", "Withdraw the consent"),
    "take_lease": WindowAct("接受租约", "Accept the lease", at_door=True),
    "declare": WindowAct("申报居住登记", "Declare", at_door=True),
    "declare_without_lease": WindowAct(
        "没有租约，当面申报", "Declare without a lease", on_paper=False, at_door=True
    ),
    "declare_exempt": WindowAct("说明依法可不申报", "State an exemption"),
    "amend": WindowAct("报告变动或更正", "Report a change or correct"),
    "withdraw_draft": WindowAct("撤回未完成的申报", "Withdraw the draft"),
    "request_void": WindowAct("申请作废", "Ask to have it voided"),
    "check_out": WindowAct("办理离开登记", "Check out", on_paper=False),
    "still_here": WindowAct("说明仍在居住", "Still living there"),
    "answer_correction": WindowAct("答复登记机关的更正", "Answer the registry's correction"),
    "answer_reported": WindowAct("答复其他部门通报的变动", "Answer another office's report"),
    "hand_out_foreign_form": WindowAct("领取外国人住宿登记表", "Hand out the foreigners' form"),
    "mark_foreign_done": WindowAct("外国人住宿登记已办理", "Foreigners' form is done"),
    "add_co_resident": WindowAct("登记同住人", "Enter a co-resident", at_door=True),
    "enter_child": WindowAct("登记孩子", "Enter a child"),
    "withdraw_for_child": WindowAct("撤回对孩子的同意", "Withdraw the consent for a child"),
    "declare_child": WindowAct("为孩子申报", "Declare for a child"),
    "declare_for_relative": WindowAct("代亲属申报", "Declare for a relative"),
    "amend_for": WindowAct("更正代为申报的登记", "Correct it"),
    "withdraw_for": WindowAct("撤回代为申报的登记", "Take the entry back"),
    "check_out_for": WindowAct("为同住人办理离开", "Check them out", on_paper=False),
    "object_to_declaration": WindowAct("对他人的申报提出异议", "Object to another's declaration"),
    "file_report": WindowAct("反映问题", "Report something"),
    "open_report": WindowAct("查看本人反映的一件事", "See one report of one's own"),
    "rate_report": WindowAct("评价答复", "Rate the answer"),
    "reopen_report": WindowAct("没有解决，重新办理", "Not solved: have it reopened"),
    "print_receipt": WindowAct("打印登记凭证", "Print the receipt", on_paper=False, at_door=True),
    "print_foreign_form": WindowAct("打印外国人住宿登记表", "Print the foreigners' form", on_paper=False),
    "print_access": WindowAct("打印谁看过我的数据", "Print the access record", on_paper=False),
    "export": WindowAct("打印本人数据", "Print one's own data", on_paper=False),
    "ask_about_look": WindowAct("对一次查看提问", "Ask about a look"),
    "ask_erasure": WindowAct("申请删除本人数据", "Ask to delete one's data"),
    "withdraw_erasure": WindowAct("撤回删除申请", "Take the deletion back"),
    "print_codes": WindowAct("打印门锁密码", "Print keypad codes", on_paper=False),
    "hand_out_mechanical_key": WindowAct("发给机械钥匙", "Hand out a mechanical key", on_paper=False),
    "link_phone": WindowAct("关联本人手机", "Link a phone", on_paper=False, at_door=True),
    "correct_identity": WindowAct("更正姓名或证件", "Correct name or document", on_paper=False),
    "claim_unit": WindowAct("认领出租单元", "Claim the unit"),
    "add_unit": WindowAct("增加出租单元", "Add a unit"),
    "claim_lock": WindowAct("绑定门锁", "Claim a lock"),
    "release_unit": WindowAct("退出房间", "Give the unit up"),
    "record_lease": WindowAct("录入租约", "Record a lease"),
    "add_co_tenant": WindowAct("增加合租人", "Add a co-tenant"),
    "report_tenant": WindowAct("报告承租人", "Report the tenant"),
    "extend_lease": WindowAct("租约延期", "Extend the lease"),
    "correct_named": WindowAct("更正租客信息", "Correct the tenant's details"),
    "move_start": WindowAct("更改租约开始日期", "Change the start of the lease"),
    "end_lease": WindowAct("报告租约结束", "Report the end"),
    "attest": WindowAct("当面见证承租人", "Attest the tenant"),
    "print_landlord_receipt": WindowAct("打印房东报告回执", "Print the receipt of the report", on_paper=False),
    "host_foreign_done": WindowAct("房东报告外国人住宿已登记", "Host: foreigner is registered"),
}


def decide_receipt(received_on: date | None, today: date) -> Refusal | None:
    """Whether the day stamped on a paper form may stand: not to come, not older than `PAPER_DAYS`. None is today."""
    if received_on is None or today - timedelta(days=PAPER_DAYS) <= received_on <= today:
        return None
    return Refusal("paper.received", "received_on", {"days": PAPER_DAYS})


def receipt_time(received_on: date | None, now: datetime) -> datetime:
    """When a complete declaration on paper counts as declared: with the day of its stamp (HK-15, ZJ-16), in China."""
    return now if received_on is None else min(start_of(received_on), now)
