"""Texts a person answers or is told: the notice, the separate face consent, and the inbox's messages.

A text has a version and a fingerprint; a consent stores both, so that it is known what was agreed to. The office that
answers for the data differs by installation: `named` writes it into its blanks before anybody reads the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hashlib import sha256

from backend.domain.duty_notices import DUTY_INBOX
from backend.domain.house_rules import Handler
from backend.domain.inbox_texts import InboxText
from backend.domain.reported_notices import REPORTED_INBOX


@dataclass(frozen=True)
class NoticeText:
    """One version of one text, in both languages, paragraph by paragraph."""

    purpose: str
    version: str
    title_zh: str
    title_en: str
    paragraphs_zh: tuple[str, ...]
    paragraphs_en: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over version and both languages, hexadecimal."""
        whole = "\n".join((self.purpose, self.version, self.title_zh, *self.paragraphs_zh, *self.paragraphs_en))
        return sha256(whole.encode()).hexdigest()

    def named(self, handler: Handler) -> NoticeText:
        """The same text with the name and contact of the office that answers for the data (PIPL-17)."""
        contact = handler.contact
        return replace(
            self,
            paragraphs_zh=tuple(line.format(handler=handler.zh, contact=contact) for line in self.paragraphs_zh),
            paragraphs_en=tuple(line.format(handler=handler.en, contact=contact) for line in self.paragraphs_en),
        )


NOTICES: dict[str, NoticeText] = {
    "registration_notice": NoticeText(
        "registration_notice",
        "2026-12",
        "居住登记告知书",
        "Notice on residence registration",
        (
            "谁在处理：{handler}（联系方式：{contact}）。安居平台受其委托，为您办理居住登记和电子钥匙。",
            "收集什么：姓名、证件种类和号码、户籍地（到县）、手机号、入住日期和住址。事由可以不填。",
            "用来做什么：依法完成居住登记，让您的钥匙生效，并计算居住证的申领日期。",
            "给谁看：登记机关收到登记所需的内容；派出所和网格员须先写明用途才能查看，每次查看您都能看到。",
            "不给谁看：房东只知道签租约时自己抄下的姓名、证件号码和手机号，看不到您在这里填写的任何内容；任何工作人员都看不到您的开门记录。",
            "保存多久：登记机关确认您离开后，证件号码再保存 30 天，之后您申请删除就销毁，没有手机的自动销毁；访问记录保存三年，您可随时查看。",
            "您的权利：查看、更正、复制、删除、撤回同意。没有手机也可以到窗口办理。",
        ),
        (
            "Who: {handler} (contact: {contact}). On its behalf the Anju platform handles your residence registration "
            "and electronic key.",
            "What: name, document type and number, place of household registration (county), phone, move-in date and "
            "address. The reason of stay is optional.",
            "What for: to complete the registration the law asks for, to make your key work, and to count the date of "
            "your residence permit.",
            "Who sees it: the registry receives what a registration needs; precinct staff and grid workers look only "
            "for a stated purpose, and you see every look.",
            "Who does not: your landlord knows the name, number and phone copied down for the lease, and sees nothing of "
            "what you enter here; no member of staff sees when you open a door.",
            "How long: the document number is kept for 30 days after the registry has confirmed your move-out, and is "
            "then destroyed when you ask us to delete it, or by itself if you have no phone here; access records are "
            "kept three years for you to read.",
            "Your rights: see, correct, copy, delete, withdraw. Everything can also be done at a window without a phone.",
        ),
    ),
    "face_check": NoticeText(
        "face_check",
        "2026-12",
        "人脸核验单独同意书",
        "Separate consent to the face check",
        (
            "目的只有一个：确认拿着这部手机的人，就是证件上的人。",
            "怎么做：拍摄证件人像面和一段几秒钟的自拍，在内存中一对一比对。",
            "照片不保存：比对后立即丢弃，不进数据库、不进日志、不做人脸库。只记录结果。",
            "不是唯一方式：您可以不同意，改到窗口当面核验、预约视频、用国家网络身份，或请房东当面见证，效力相同。",
            "可以随时撤回同意，不影响已经完成的登记和钥匙。",
        ),
        (
            "One purpose: to confirm that the person holding this phone is the person on the document.",
            "How: a picture of the document's portrait side and a selfie of a few seconds are compared one to one, in "
            "memory.",
            "No picture is kept: all are dropped after the decision. No database, no log, no face collection; only the "
            "outcome is recorded.",
            "Not the only way: you may decline and choose the window, a video appointment, the national network "
            "identity, or your landlord's attestation face to face. They count the same.",
            "You can withdraw at any time; a finished registration and your key stay as they are.",
        ),
    ),
}


INBOX: dict[str, InboxText] = {
    **DUTY_INBOX,
    **REPORTED_INBOX,
    "invitation_accepted": InboxText("租客已接受邀请", "The tenant has accepted", "租约“{alias}”的租客已接受邀请。",
                                     "The tenant of your lease “{alias}” has accepted the invitation."),
    "declared_without_lease": InboxText(
        "有人申报住在您的房屋，还没有租约", "Somebody declared that they live in your property, without a lease",
        "有人当面向工作人员申报住在 {unit}，您还没有为他录入租约。请在 {due_on} 前（含当日）录入租约并报告；不是您的租客，请在房间页面反映。",
        "Somebody has declared to staff, in person, that they live in {unit}, and no lease of yours names them. Please "
        "record the lease and report it by {due_on}; if they are not your tenant, report so on the unit's page."),
    "key_active": InboxText("钥匙已可用", "Your key works", "{unit} 的钥匙现在可以开门。", "The key to {unit} opens now."),
    "key_suspended": InboxText("钥匙已暂停", "Your key is suspended", "{unit} 的钥匙已暂停。", "The key to {unit} is suspended."),
    "key_resumed": InboxText("钥匙已恢复", "Your key works again", "{unit} 的钥匙已恢复。", "The key to {unit} works again."),
    "key_revoked": InboxText("钥匙已停用", "Your key has ended", "{unit} 的钥匙已停用。", "The key to {unit} has ended."),
    "codes_printed": InboxText("窗口打印了门锁密码", "Your keypad codes were printed",
                               "{office}应您的请求打印了 {unit} 的门锁密码。如果您没有要过，请在“手机丢了或换手机”里重新绑定钥匙，门锁得知后旧密码作废。",
                               "{office} printed the keypad codes of {unit} at your request. If you did not ask for them, bind "
                               "your key anew under “Phone lost or new phone”: the codes die when the lock has heard."),
    "key_ended_by_order": InboxText("钥匙按法院裁定停用", "A key ends on a court's order",
                                    "根据法院裁定（{case}），{unit} 的钥匙停用。居住登记不变，到办理离开登记为止。",
                                    "On a court's order ({case}) the key to {unit} ends. The registration stays until check-out."),
    "registration_accepted": InboxText("居住登记已完成", "Registration complete", "登记凭证 {receipt_no} 已生成。",
                                       "Your receipt {receipt_no} is ready."),
    "registration_rejected": InboxText("居住登记需要补正", "Your registration needs a correction", "{message_zh}",
                                       "{message_en}"),
    "registry_correction": InboxText("登记机关有更正", "The registry has corrected something",
                                     "{unit} 的登记在登记机关有更正，请在住处页面确认或提出异议。15 天内没有答复，由工作人员处理。",
                                     "The registry has corrected your registration of {unit}. Accept it or object on your "
                                     "home's page; without an answer in 15 days a person decides."),
    "check_out_confirmed": InboxText("离开登记已确认", "Move-out confirmed", "登记机关已确认您从 {unit} 离开。",
                                     "The registry has confirmed your move-out from {unit}."),
    "landlord_says_left": InboxText("房东说您已搬走", "Your landlord says you have left",
                                    "房东报告您已于 {ended_on} 离开 {unit}。如果您还住着，请告诉我们；钥匙不受影响。",
                                    "Your landlord reports that you left {unit} on {ended_on}. If you still live there, tell "
                                    "us; your key stays alive."),
    "still_here": InboxText("租客仍在居住", "Your tenant still lives there", "{alias} 表示仍住在 {unit}，由工作人员核实。",
                            "{alias} says they still live in {unit}; a person will decide."),
    "landlord_reminds": InboxText("房东提醒您申报", "Your landlord reminds you to declare",
                                  "{unit} 的居住登记应在 {due_on} 前申报，还没有完成。不到一分钟；也可以到窗口。钥匙不受影响。",
                                  "The residence at {unit} was to be declared by {due_on}. It takes less than a minute, or can "
                                  "be done at a window. Your key stays as it is."),
    "lease_extended": InboxText("租约已续期", "Lease extended", "{unit} 的租约延长至 {ends_on}，钥匙同时延长。",
                                "The lease of {unit} runs until {ends_on}; your key with it."),
    "mandate_ends": InboxText("委托快到期了", "Your mandate ends soon",
                              "{unit} 的委托到 {ends_on} 为止。请房东续签，再在房间页面填写新的到期日；租客和钥匙不受影响。",
                              "Your mandate for {unit} ends on {ends_on}. Have the owner renew it, then enter the new end on "
                              "the unit's page; tenants and keys stay as they are."),
    "mandate_over": InboxText("委托已到期", "Your mandate is over",
                              "{unit} 的委托已于 {ends_on} 到期，现在不能再办理这间房的事。续签后，在房间页面填写新的到期日；租客和钥匙不受影响。",
                              "Your mandate for {unit} ended on {ends_on}: you can do nothing for this unit now. Once it is "
                              "renewed, enter the new end on the unit's page; tenants and keys stay as they are."),
    "lease_named_corrected": InboxText("房东更正了租约里您的信息", "Your landlord corrected your details in the lease",
                                       "{unit} 的租约里，房东更正了抄下的您的姓名或证件。您填写的内容没有变，房东也看不到。",
                                       "In the lease of {unit} your landlord corrected the name or document copied from you. What "
                                       "you entered is unchanged, and your landlord does not see it."),
    "lease_start_moved": InboxText("租约开始日期已更改", "Your lease starts on another day",
                                   "{unit} 的租约从 {starts_on} 开始，钥匙同一天起可用。",
                                   "The lease of {unit} starts on {starts_on}, and your key works from that day."),
    "identity_reviewed": InboxText("身份核验结果", "Identity check decided", "工作人员已作出决定：{decision_zh}。{reason_zh}",
                                   "A member of staff has decided: {decision_en}. {reason_en}"),
    "identity_attested": InboxText("房东已为您见证", "Your landlord has attested you", "钥匙可以使用，工作人员将在 72 小时内复核。",
                                   "Your key can work; staff will review within 72 hours."),
    "appointment_booked": InboxText("已为您约好", "Your appointment", "{way_zh}：{at}。改时间或取消，请在“其他核验方式”里操作。",
                                    "{way_en}: {at} (China time). Move or cancel it under “Other ways to be identified”."),
    "appointment_link": InboxText("视频链接已发", "Your video link is there", "{at} 的视频核验：链接已在“其他核验方式”里。",
                                  "Live video at {at} (China time): the link stands under “Other ways to be identified”."),
    "appointment_missed": InboxText("没有见到您", "We did not meet you", "{at} 的预约没有见到您。可以再约，也可以直接到窗口。",
                                    "We did not meet you at {at} (China time). Choose another time, or just come to the window."),
    "review_late": InboxText("核验迟了，抱歉", "Your review is late, sorry",
                             "事项 {reference} 已超时，已交负责人。已经可用的钥匙照常使用；房东当面见证后也能先用钥匙。",
                             "Case {reference} is late and is with a supervisor now. A key that works stays; until then your "
                             "landlord's attestation face to face lets the key work."),
    "document_matched": InboxText("姓名与号码已核对", "Name and number checked", "您填写的姓名与证件号码核对一致。",
                                  "The name and number you entered belong together."),
    "document_unmatched": InboxText("姓名与号码对不上", "Name and number do not fit",
                                    "您填写的姓名与证件号码不一致（3002）。请在“填写身份”里更正；确认无误，请带证件到窗口。",
                                    "The name and number you entered do not belong together (3002). Correct them under “Enter "
                                    "your identity”; if they are right, bring the document to the window."),
    "guardian_entered": InboxText("监护人已为您登记", "Your guardian has entered you", "您的监护人已添加您的身份，窗口复核后完成。",
                                  "Your guardian has entered your identity; a review at the window completes it."),
    "declared_for_you": InboxText("有人为您申报了居住登记", "Somebody has declared your residence",
                                  "您的家人为您申报了 {unit} 的居住登记。请在“我的家”里查看；不对的话，可以在那里提出异议。",
                                  "A relative has declared your residence at {unit}. See it under “My home”; if it is wrong, "
                                  "object there."),
    "entered_for_you": InboxText("请申报您的居住登记", "Please declare your residence",
                                 "与您同住的租客已把您加入 {unit}。请在“我的家”里申报；没有住在那里，可以提出异议。",
                                 "The tenant you live with has added you to {unit}. Declare it under “My home”; if you do not "
                                 "live there, object."),
    "member_accepted": InboxText("您代办的居住登记已完成", "A registration you declared is complete", "登记凭证 {receipt_no} 已生成。",
                                 "The receipt {receipt_no} is ready."),
    "member_check_out_confirmed": InboxText("您代办的离开登记已确认", "A move-out you declared is confirmed",
                                            "登记机关已确认您代办的人从 {unit} 离开。",
                                            "The registry has confirmed that the person you answer for has left {unit}."),
    "others_stay": InboxText("租客已退房，还有人住着", "The tenant has left, others stay",
                             "{unit} 的租客已退房，还有 {people} 位同住人没有离开。租约怎么办，由工作人员联系您（{reference}）。",
                             "The tenant of {unit} has checked out; {people} who lived along are still there. A person will ask "
                             "you about the lease ({reference})."),
    "you_stay": InboxText("租客已退房，您的登记不变", "The tenant has left, your registration stays",
                          "{unit} 的租客已退房，还有 {people} 人的登记保持不变。租约怎么办，由工作人员联系（{reference}）。",
                          "The tenant of {unit} has checked out; the registrations of {people} who stay are unchanged. A person "
                          "will see to the lease ({reference})."),
    "dispute_decided": InboxText("争议已处理", "The dispute is decided", "{unit}：{decision_zh}。{reason_zh}",
                                 "{unit}: {decision_en}. {reason_en}"),
    "report_answered": InboxText("您反映的事项已有答复", "Your report is answered", "{reference}：{decision_zh}。{reason_zh}。",
                                 "{reference}: {decision_en}. {reason_en}."),
    "void_decided": InboxText("作废申请的结果", "Your request to void a registration", "{unit}：{decision_zh}。{reason_zh}",
                              "{unit}: {decision_en}. {reason_en}"),
    "look_answered": InboxText("您的提问有答复了", "Your question is answered",
                               "关于“谁看过我的数据”的提问（{reference}）：{decision_zh}。{reason_zh}",
                               "Your question about a look at your data ({reference}): {decision_en}. {reason_en}"),
    "registration_voided": InboxText("一条登记已作废", "A registration was voided", "{unit} 的一条居住登记已作废；钥匙和租约不变。",
                                     "A registration at {unit} was voided; keys and lease stay as they are."),
    "tenant_withdrew": InboxText("租客已撤回", "The tenant has withdrawn", "{alias} 撤回了 {unit} 的登记，没有入住。租约已取消。",
                                 "{alias} withdrew from {unit} without moving in. The lease is cancelled."),
    "exemption_over": InboxText("请申报居住登记", "Please declare your residence",
                                "{unit}：可不申报的期限已过。仍住在这里的，请在 {due_on} 前申报；钥匙不受影响。",
                                "{unit}: the exemption is over. If you still live there, please declare by {due_on}; your key "
                                "stays as it is."),
    "foreign_done": InboxText("住宿登记已办理", "Your accommodation registration is done", "{unit}：已于 {done_on} 在公安机关办理住宿登记。",
                              "{unit}: your accommodation was registered with the police on {done_on}."),
    "lock_replaced": InboxText("换了新锁", "Your door has a new lock",
                               "{unit} 换了新锁（{serial}），您的钥匙不变。请联网打开一次本应用，离线开门才能用于新锁。"
                               "键盘密码已全部更换：以前打印或记下的不再能开门，请看钥匙页上的新密码。",
                               "{unit} has a new lock ({serial}); your key stays. Open this app once with a network, so "
                               "that it opens the new lock offline too. All keypad codes are new: what was printed or "
                               "noted before opens no longer, see the key page."),
    "lock_replaced_landlord": InboxText("换了新锁", "Your unit has a new lock", "{unit} 换了新锁（{serial}），住户的钥匙不变。",
                                        "{unit} has a new lock ({serial}); the occupants' keys stay."),
    "lock_retired": InboxText("门锁已停用", "A lock is out of use", "{unit} 的门锁 {serial} 已停用，请为这间房领取新锁。",
                              "The lock {serial} of {unit} is out of use. Claim another for this unit."),
    "claim_decided": InboxText("房屋登记已处理", "Your claim is decided", "{unit}：{decision_zh}。", "{unit}: {decision_en}."),
    "right_seen": InboxText("出租权已核看", "Your right to let was seen", "{unit}：{office}看过您的出租权证明，没有留复印件。",
                            "{unit}: {office} has seen what gives you the right to let; no copy was kept."),
    "visitor_consent_asked": InboxText(
        "房东请您同意一把临时钥匙", "Your landlord asks for your consent",
        "房东想让人进入 {unit}：{purpose_zh}，{starts_on} 至 {ends_on}。您同意后这把钥匙才能开门，也可以拒绝。",
        "Your landlord wants to let somebody into {unit} for {purpose_en}, {starts_on} to {ends_on}. The key opens only if "
        "you consent; you may refuse."),
    "visitor_emergency": InboxText(
        "紧急情况：临时钥匙已生效", "Emergency: a key to your home works now",
        "因{emergency_zh}，房东发出了一把可立即进入 {unit} 的临时钥匙（4 小时内，最多 2 次）。您可以随时停用。",
        "Because of {emergency_en} your landlord has issued a key to {unit} that works at once (4 hours, twice at most). "
        "You can end it at any time."),
    "visitor_key_issued": InboxText(
        "住户发出了临时钥匙", "An occupant has issued a key",
        "{unit} 的住户发出了一把临时钥匙：{purpose_zh}，{starts_on} 至 {ends_on}。",
        "An occupant of {unit} has issued a key for {purpose_en}, {starts_on} to {ends_on}."),
    "visitor_consent_given": InboxText("住户已同意", "An occupant has consented", "{unit} 的临时钥匙（{purpose_zh}）可以使用。",
                                       "The key to {unit} for {purpose_en} may be used."),
    "visitor_refused": InboxText("住户已拒绝", "An occupant has refused", "{unit} 的临时钥匙（{purpose_zh}）不会生效。",
                                 "The key to {unit} for {purpose_en} will not work."),
    "visitor_ended": InboxText("临时钥匙已停用", "A visitor's key has ended", "{unit} 的临时钥匙（{purpose_zh}）已停用。",
                               "The key to {unit} for {purpose_en} has ended."),
    "key_rebound": InboxText("钥匙已换到新手机", "Your key is on the new phone",
                             "{unit} 的钥匙已绑定到这部手机，原手机上的钥匙已停用。不是您本人操作？请立即暂停钥匙并求助。",
                             "The key to {unit} is now bound to this phone; the one on the old phone is dead. Not you? Suspend "
                             "the key at once and ask for help."),
    "rebind_decided": InboxText("换手机申请的结果", "Your request for a new phone", "{unit}：{decision_zh}。{reason_zh}",
                                "{unit}: {decision_en}. {reason_en}"),
    "co_tenant_added": InboxText("有人一起承租", "Somebody joins your lease", "{unit} 增加了一位合租人；您的钥匙不变。",
                                 "Another person joins the lease of {unit}; your key stays as it is."),
    "delegate_made": InboxText("房东可离线发钥匙", "Your landlord can issue keys offline",
                               "房东的手机在 {until} 前可离线为新合租人发 {unit} 的钥匙；没有对方本人的身份核验，门不会开。",
                               "Until {until} your landlord's phone can issue a key to {unit} for a new co-tenant without "
                               "network; the door does not open without that person's own identity check."),
}
