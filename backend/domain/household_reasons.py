"""Reasons around those who live along, children's registrations and representation."""

from __future__ import annotations

from backend.domain.reason_kinds import Reason

HOUSEHOLD_REASONS: dict[str, Reason] = {
    "household.head": Reason(
        "conflict",
        "请先完成您自己的申报。",
        "Declare your own residence first.",
        "申报之后再添加同住人。",
        "Then add who lives along.",
    ),
    "household.child": Reason(
        "invalid",
        "未满 16 周岁，由监护人申报。",
        "Under 16: the guardian declares.",
        "请监护人在“我的孩子”里添加；没有证件号码的新生儿请到窗口办理。",
        "The guardian adds the child under “My children”; for a newborn without a number, come to the window.",
        "ZJ-7",
    ),
    "household.guardian": Reason(
        "conflict",
        "还没有登记监护人。",
        "No guardian is recorded.",
        "请先登记监护人和关系。",
        "Record the guardian and the relation first.",
        "ZJ-7",
    ),
    "household.told": Reason(
        "invalid",
        "请先把告知书的内容告诉本人。",
        "Tell the person what the notice says first.",
        "告知后打勾确认。",
        "Then confirm it.",
        "PIPL-17",
    ),
    "household.kin": Reason(
        "invalid",
        "只有亲属可以代为申报。",
        "Only a relative may represent somebody.",
        "请本人用自己的手机办理，或到窗口。",
        "They use a phone of their own, or come to the window.",
        "ZJ-7",
    ),
    "household.unidentified": Reason(
        "forbidden",
        "代为申报之前，请先核验您自己的身份。",
        "Before you represent somebody, your own identity is checked.",
        "完成身份核验后再试；也可以到窗口办理。",
        "Finish the identity check, or come to the window.",
        "ZJ-7",
    ),
    "household.consent": Reason(
        "conflict",
        "监护人对这个孩子的同意已撤回。",
        "The guardian's consent for this child was taken back.",
        "在“我的孩子”里重新同意后再申报。",
        "Give it again under “My children”, then declare.",
        "ZJ-7",
    ),
    "household.undeclared": Reason(
        "conflict",
        "这个人还没有申报，不能办理离开。",
        "This person has not been declared yet, so there is nothing to check out.",
        "可以从列表中移除。",
        "Take the entry off the list instead.",
    ),
    "household.unit": Reason(
        "not_found",
        "这间房里没有等待这个人申报的租约。",
        "No lease of this unit waits for this person's declaration.",
        "请核对门牌二维码编号、姓名和证件；也可以到窗口办理。",
        "Compare the number at the door, the name and the document; the window helps too.",
    ),
    "household.lease": Reason(
        "conflict",
        "这是对方自己的租约，不能由您结束或撤回。",
        "This is the tenant's own lease; you can neither end it nor take it back.",
        "请承租人自己办理，或到窗口。",
        "The tenant does it, or comes to the window.",
        "ZJ-7",
    ),
    "household.represented": Reason(
        "forbidden",
        "这份租约已由亲属为承租人代为申报，钥匙只能由承租人本人领取。",
        "A relative has declared for the tenant of this lease; the key is for the tenant alone.",
        "请承租人用自己的手机接受邀请，或到窗口办理。",
        "The tenant accepts the invitation on a phone of their own, or comes to the window.",
        "ZJ-7",
    ),
    "household.theirs": Reason(
        "conflict",
        "对方已经用自己的手机管理这条登记。",
        "This person looks after the registration from a phone of their own now.",
        "请对方自己办理。",
        "They do it themselves.",
    ),
    "household.objected": Reason(
        "conflict",
        "这条登记已经提出异议。",
        "An objection to this registration is open already.",
        "请等工作人员答复。",
        "A person will answer it.",
    ),
    "registration.already": Reason(
        "conflict",
        "这个人已经登记在这间房里。",
        "This person is registered in this unit already.",
        "请在列表中查看。",
        "See the list.",
    ),
}
