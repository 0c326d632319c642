"""Words of the pages about cases: who takes part, the steps, and what the evidence holds, in both languages."""

from __future__ import annotations

from backend.console import visit_words
from backend.domain import access_words, case_reports, cases, look_questions, purposes, residence_paths, sharing
from backend.domain.reconciliation import KIND_NAMES

PARTS = {
    "subject": ("当事人", "Person concerned"),
    "landlord": ("房东", "Landlord"),
    "claimant": ("后一申请人", "Later claimant"),
    "present_landlord": ("原登记人", "Earlier claimant"),
}
OPENERS = {
    "rule": ("系统规则", "A rule"),
    "tenant": ("租客", "The tenant"),
    "landlord": ("房东", "The landlord"),
    "guardian": ("监护人", "The guardian"),
    "resident": ("居民", "A resident"),
    "officer": ("工作人员", "Staff"),
    "registry": ("登记机关", "The registry"),
}
OWNERS = {
    "tenant": ("租客", "Tenant"),
    "landlord": ("房东", "Landlord"),
    "TENANT": ("租客", "Tenant"),
    "LANDLORD": ("房东", "Landlord"),
    "OPERATOR": ("运维人员", "Operator"),
    "REGISTRY": ("登记机关", "Registry"),
}
STEP_ACTIONS = {**cases.ACTION_NAMES, "route": ("转到承办部门", "routed to its office")}
STEP_REASONS = {
    **visit_words.OUTCOMES,
    **visit_words.GROUNDS,
    **cases.REASON_NAMES,
    **case_reports.SEND_BACK_REASONS,
    **case_reports.RATING_REASONS,
    **case_reports.TOLD,
    "idle": ("无人处理，自动退回", "Left alone, given back"),
    **visit_words.WITHDRAWN,
}
EVIDENCE = {
    "source": ("怎么来的", "How it came"),
    "differs_in": ("不一致之处", "Differs in"),
    "landlord_says_left_on": ("房东称租客离开于", "Landlord says: left on"),
    "due_on": ("应申报日期", "Was due on"),
    "suggestion": ("其间变化", "Meanwhile"),
    "way": ("来源", "Came from"),
    "told": ("已短信通知本人选的人", "Text sent to the chosen person"),
    "decision": ("机器判断", "The check said"),
    "owner": ("应由谁补正", "To be mended by"),
    "leg": ("哪一方的申报", "Whose report"),
    "codes": ("退回代码", "Return codes"),
    "pointers": ("涉及字段", "Fields"),
    "reason": ("说明", "Note"),
    "record": ("登记编号", "Record"),
    "kind": ("差异", "Difference"),
    "correction": ("更正编号", "Correction"),
    "why": ("为何交由人工", "Why a person decides"),
    "office": ("通报单位", "Office"),
    "change": ("通报的变动", "Reported change"),
    "said": ("通报的内容", "What was reported"),
    "question": ("要问的事", "The question"),
    "people": ("人数", "People"),
    "looked_at": ("查看时间", "Looked at"),
    "looking_office": ("查看单位", "Office that looked"),
    "badge": ("查看人工号代称", "Badge of whoever looked"),
    "action": ("查看了什么", "What was done"),
    "purpose": ("写明的用途", "Stated purpose"),
    "case_ref": ("写明的事项编号", "Stated case"),
    "fields": ("涉及字段", "Fields"),
}
EVIDENCE_VALUES = {
    **KIND_NAMES,
    **case_reports.SOURCES,
    **look_questions.QUESTIONS,
    **access_words.ACTS,
    **{f"for_{code}": (row.zh, row.en) for code, row in purposes.PURPOSES.items()},
    **{code: (kind.zh, kind.en) for code, kind in sharing.IN_KINDS.items()},
    **residence_paths.VOID_REASONS,
    "lease_of_those_who_stay": ("租客离开后，还住着的人的租约", "the lease of those who stay when the tenant has left"),
    "objected": ("当事人有异议", "the person objects"),
    "no_answer": ("到期未答复", "no answer in time"),
    "another_number": ("与已有备案号不同", "another filing number is held"),
    "ambiguous": ("不能自动判断", "cannot be judged by rule"),
    "gone": ("对方不再接收推送（410），协议已中止", "it takes no more deliveries (410); the agreement is suspended"),
    "no_account": ("本人没有账号", "the person has no account"),
    "needs_a_person": ("须由工作人员更改的字段", "a field only staff may change"),
    "document": ("证件号码", "document number"),
    "window": ("申请到窗口核验", "asked for the window"),
    "live_video": ("申请视频核验", "asked for live video"),
    "face": ("人脸比对未能判定", "the face check was undecided"),
    "attested": ("房东见证后复核", "review after the landlord's attestation"),
    "guardian": ("监护人见证后复核", "review after the guardian's word"),
    "review": ("需要人工判断", "a person should decide"),
    "declared_now": cases.REASON_NAMES["declared_now"],
    "mended": cases.REASON_NAMES["mended"],
    "no_match": ("未能匹配（三次）", "no match (three times)"),
    **OWNERS,
}
CASE_TABLES = {
    "EVIDENCE": EVIDENCE,
    "EVIDENCE_VALUES": EVIDENCE_VALUES,
    "OPENERS": OPENERS,
    "OWNERS": OWNERS,
    "PARTS": PARTS,
    "STEP_ACTIONS": STEP_ACTIONS,
    "STEP_REASONS": STEP_REASONS,
}
