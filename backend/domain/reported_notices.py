"""Messages about what other offices report, and about the offices themselves."""

from __future__ import annotations

from backend.domain.inbox_texts import InboxText

REPORTED_INBOX: dict[str, InboxText] = {
    "lease_filed": InboxText(
        "租约已备案",
        "Your lease is filed",
        "{unit} 的租约已于 {filed_on} 由住房部门备案，备案号 {filing_no}。您不用办理什么。",
        "The lease of {unit} was filed by the housing authority on {filed_on}, number {filing_no}. Nothing is asked of "
        "you.",
    ),
    "office_renumbered": InboxText(
        "地址变更，请您看一下",
        "An address changes: please look",
        "{office}通报：{place} 改为 {road}{door}。您可以确认或提出异议；房源编号、租约和钥匙不变。",
        "{office_en} reports that {place} becomes {road}{door}. You may confirm or object; the unit's number, leases "
        "and keys stay as they are.",
    ),
    "home_renumbered": InboxText(
        "您的住址换了新门牌",
        "Your home has a new address",
        "{before} 现为 {place}。登记已随之更新，您不用办理什么；房源编号、租约和钥匙不变。",
        "{before} is {place} now. Your registration follows by itself and nothing is asked of you; the unit's number, "
        "lease and key stay as they are.",
    ),
    "office_became_local": InboxText(
        "请您确认：户口是否已迁入本地",
        "Please confirm: has your household registration moved here?",
        "{office}通报您的户口已迁入本县。您确认后，{unit} 的流动人口登记结束；您照常居住，钥匙和租约不变。"
        "不对的请提出异议。",
        "{office_en} reports that your household registration is in this county now. Once you confirm, the "
        "registration at {unit} ends; you live there as before, key and lease stay. Object if it is wrong.",
    ),
    "office_change_decided": InboxText(
        "其他部门通报的变动已处理",
        "A change reported by another office is decided",
        "{office}通报的“{change_zh}”：{decision_zh}。{reason_zh}",
        "“{change_en}”, reported by {office_en}: {decision_en}. {reason_en}",
    ),
}
