"""Short messages: the words, in the reader's language, without name, address, number or secret link.

The only links are those of invitations, which are secrets of the phone they are sent to. The sender's mark 【安居】
makes every text one of UCS-2: 70 characters fit into one segment, 67 into each of several.
"""

from __future__ import annotations

from dataclasses import dataclass

ONE_SEGMENT, OF_SEVERAL = 70, 67
LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class ShortText:
    """A text in both languages; `{…}` are filled when it is sent."""

    zh: str
    en: str

    def spoken(self, language: str | None) -> str:
        """In the reader's language with the sender's mark; in both where it is not known."""
        words = {"zh": self.zh, "en": self.en}.get(language or "", f"{self.zh} {self.en}")
        return f"【安居】{words}"


def segments(text: str) -> int:
    """How many segments a text is sent in."""
    units = len(text.encode("utf-16-be")) // 2
    return 1 if units <= ONE_SEGMENT else -(-units // OF_SEVERAL)


LOGIN_CODE = ShortText("验证码 {digits}，5 分钟内有效。", "Your code is {digits}, good for 5 minutes.")
INVITATION = ShortText("房东邀请您领取电子钥匙：{link}", "Your landlord invites you: {link}")
VISITOR_INVITATION = ShortText("您收到一把临时电子钥匙：{link}", "A visitor's key for you: {link}")
REPORT_ANSWERED = ShortText("您反映的事项 {reference} 已有答复，请打开安居查看。",
                            "Your report {reference} has been answered: open Anju.")  # fmt: skip

# One for each kind of reminder that goes out by short message.
REMINDERS: dict[str, ShortText] = {
    "declare_due": ShortText("请在 {due_on} 前申报居住登记，打开安居就能办，也可以到窗口。",
                             "Please declare your residence by {due_on}: open Anju."),
    "declare_overdue": ShortText("居住登记的期限 {due_on} 已过，现在补办即可；钥匙不受影响。",
                                 "Your declaration was due on {due_on}. Do it now; your key stays."),
    "report_due": ShortText("请在 {due_on} 前报告租客，打开安居就能办。",
                            "Please report your tenant by {due_on}, in Anju."),
    "report_overdue": ShortText("报告租客的期限 {due_on} 已过，请现在补报。",
                                "Your tenant was to be reported by {due_on}. Do it now."),
    "report_end_due": ShortText("租约已到期：请在 {due_on} 前续租，或报告租客已离开。",
                                "A lease is over: extend it or report its end by {due_on}."),
    "report_end_overdue": ShortText("租约的结束应在 {due_on} 前报告，请现在办理。",
                                    "A lease's end was to be reported by {due_on}. Do it now."),
    "foreign_due": ShortText("请在 {due_on} 前带登记表到派出所办理住宿登记。",
                             "Take the form to the police station by {due_on}."),
    "foreign_overdue": ShortText("住宿登记的期限 {due_on} 已过，请尽快到派出所补办；钥匙不受影响。",
                                 "Your stay was to be registered by {due_on}. Please go soon."),
    "change_due": ShortText("您的变更申报被退回，请在 {due_on} 前更正。",
                            "A change you reported came back. Mend it by {due_on}."),
    "change_overdue": ShortText("变更申报的期限 {due_on} 已过，请现在更正。",
                                "A change was to be reported by {due_on}. Mend it now."),
    "exemption_ends": ShortText("不用申报的期限到 {due_on} 为止；之后仍住的，请在 3 日内申报。",
                                "Your exemption ends on {due_on}. If you stay, declare in 3 days."),
    "lease_ends": ShortText("租约于 {due_on} 到期：续租还是退房？没有退房，钥匙不会失效。",
                            "A lease ends on {due_on}: extend, or check out? The key stays."),
    "lease_over": ShortText("租约已于 {due_on} 到期：续租还是退房？没有退房，钥匙不会失效。",
                            "A lease ended on {due_on}: extend, or check out? The key stays."),
    "answer_left": ShortText("房东说您已离开。请在 {due_on} 前回答；不回答，钥匙也不受影响。",
                             "Have you left, as your landlord says? Answer by {due_on}."),
}  # fmt: skip
SEVERAL = ShortText("您有 {n} 项事项要办，最早的期限是 {due_on}。请打开安居查看。",
                    "{n} matters wait, the first is due on {due_on}. Open Anju.")  # fmt: skip
