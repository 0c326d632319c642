"""What each message is about: its topic, whether one may silence it, and the place it opens.

Who owes something by law, or is asked or told of a decision about themselves, is always told; what is convenient to
know may be silenced: it is kept in the inbox as read, and no short message goes out for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Topic:
    """A group of messages as a person chooses among them."""

    zh: str
    en: str
    hint_zh: str
    hint_en: str
    may_be_silenced: bool


TOPICS: dict[str, Topic] = {
    "duties": Topic("法定期限", "Duties and their days", "依法要办的事，到期前和逾期时提醒。不能关闭。",
                    "What the law asks of you, before and after its day. Cannot be switched off.", False),
    "decisions": Topic("决定和需要您答复的事", "Decisions, and questions to you",
                       "关于您本人的决定、登记结果、等您回答的事。不能关闭。",
                       "Decisions about you, what became of your registration, what waits for your answer. Cannot be "
                       "switched off.", False),
    "keys": Topic("钥匙和门锁安全", "Your key and your lock", "钥匙停用、换手机、换锁等。不能关闭。",
                  "A key that ends, a new phone, a new lock. Cannot be switched off.", False),
    "progress": Topic("办理进度", "Progress", "对方接受邀请、钥匙可用、资料核对一致等。",
                      "An invitation accepted, a key that works, details that were found to fit.", True),
    "leases": Topic("租约提醒", "Leases", "租约将到期、已续期、已备案。没有退房，钥匙不会失效。",
                    "A lease that ends soon, was extended or filed. Without a check-out the key stays alive.", True),
    "visitors": Topic("临时钥匙的消息", "News of visitors' keys", "发出、同意、拒绝、停用。请您同意的请求始终会提醒。",
                      "Issued, consented to, refused, ended. You are always asked for your consent.", True),
    "permits": Topic("居住证提醒", "Residence permit", "可以申领的日期、签注的时间。",
                     "The day from which you can ask for it, and its endorsement.", True),
}  # fmt: skip


@dataclass(frozen=True)
class NoticeKind:
    """The topic of a kind of message, and the place it opens (a key of PLACES)."""

    topic: str
    opens: str


# Place -> the params that name the one thing; without them a message opens the list that thing stands in.
PLACES: dict[str, tuple[str, ...]] = {
    "home": ("registration_id",),
    "declare": ("registration_id",),
    "amend": ("registration_id",),
    "still_here": ("registration_id",),
    "receipt": ("registration_id",),
    "key": ("registration_id",),
    "ways": ("registration_id",),
    "household": ("registration_id",),
    "lease": ("lease_id",),
    "home_or_lease": (),
    "unit": ("unit_id",),
    "lock": ("unit_id",),
    "visitors": ("unit_id",),
    "rooms": (),
    "identity": (),
    "reported": (),
    "access": (),
    "report": ("report_id",),
}


def _kinds(topic: str, opens: str, names: str) -> Iterator[tuple[str, NoticeKind]]:
    for name in names.split():
        yield name, NoticeKind(topic, opens)


KINDS: dict[str, NoticeKind] = {
    **dict(_kinds("duties", "declare", "declare_due declare_overdue landlord_reminds exemption_over draft_expires "
                  "entered_for_you")),
    **dict(_kinds("duties", "lease", "report_due report_overdue report_end_due report_end_overdue")),
    **dict(_kinds("duties", "unit", "declared_without_lease")),
    **dict(_kinds("duties", "home", "foreign_due foreign_overdue exemption_ends")),
    **dict(_kinds("duties", "amend", "change_due change_overdue")),
    **dict(_kinds("decisions", "still_here", "answer_left landlord_says_left")),
    **dict(_kinds("decisions", "receipt", "registration_accepted")),
    **dict(_kinds("decisions", "amend", "registration_rejected")),
    **dict(_kinds("decisions", "home", "registry_correction home_renumbered check_out_confirmed void_decided "
                  "foreign_done declared_for_you you_stay")),
    **dict(_kinds("decisions", "household", "member_accepted member_check_out_confirmed")),
    **dict(_kinds("decisions", "ways", "identity_reviewed appointment_booked appointment_link appointment_missed "
                  "review_late")),
    **dict(_kinds("decisions", "identity", "document_unmatched guardian_entered")),
    **dict(_kinds("decisions", "lease", "still_here others_stay registration_voided tenant_withdrew")),
    **dict(_kinds("decisions", "home_or_lease", "dispute_decided")),
    **dict(_kinds("decisions", "rooms", "claim_decided")),
    **dict(_kinds("decisions", "unit", "mandate_ends mandate_over")),
    **dict(_kinds("decisions", "access", "look_answered")),
    **dict(_kinds("decisions", "reported", "office_renumbered office_became_local office_change_decided")),
    **dict(_kinds("decisions", "report", "report_answered")),
    **dict(_kinds("decisions", "visitors", "visitor_consent_asked visitor_emergency")),
    **dict(_kinds("keys", "key", "key_suspended key_resumed key_revoked codes_printed lock_replaced key_rebound "
                  "rebind_decided delegate_made")),
    **dict(_kinds("keys", "home_or_lease", "key_ended_by_order")),
    **dict(_kinds("keys", "lock", "lock_replaced_landlord lock_retired")),
    **dict(_kinds("progress", "key", "key_active")),
    **dict(_kinds("progress", "lease", "invitation_accepted")),
    **dict(_kinds("progress", "home", "identity_attested co_tenant_added")),
    **dict(_kinds("progress", "identity", "document_matched")),
    **dict(_kinds("progress", "unit", "right_seen")),
    **dict(_kinds("leases", "home_or_lease", "lease_ends lease_over lease_filed")),
    **dict(_kinds("leases", "home", "lease_extended lease_start_moved")),
    **dict(_kinds("decisions", "home", "lease_named_corrected")),
    **dict(_kinds("visitors", "visitors", "visitor_key_issued visitor_consent_given visitor_refused visitor_ended")),
    **dict(_kinds("permits", "home", "permit_soon permit_open endorsement_due")),
}  # fmt: skip


def is_silenced(kind: str, silenced: list[str]) -> bool:
    """Whether a person who silenced these topics is told of this kind without a sign."""
    topic = KINDS[kind].topic
    return topic in silenced and TOPICS[topic].may_be_silenced
