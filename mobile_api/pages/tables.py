"""The pages' own tables of words: states with their sign and icon, tasks, prompts, what a lock says.

A sign is good, going, bad or plain (base.css); an icon is a name of icons.py. Chinese words are message ids; pairs are
(Chinese, English) as in the domain's tables.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

PRESENCE = {
    "online": ("good", "wifi", _l("在线")),
    "sleeping": ("plain", "moon", _l("休眠中，按一下门锁即可唤醒")),
    "offline": ("bad", "wifi-off", _l("离线")),
    "never": ("plain", "wifi-off", _l("尚未联网")),
}
UNIT_STATES = {
    "let": ("good", "check", _l("在租")),
    "awaiting": ("going", "clock", _l("待入住")),
    "vacant": ("plain", "door", _l("无在租")),
    "lock_offline": ("bad", "wifi-off", _l("锁离线")),
    "mandate_over": ("bad", "alert", _l("委托已到期")),
}
IMPORT_STATES = {
    "checking": ("going", "clock", _l("正在逐行检查")),
    "ready": ("going", "pencil", _l("检查完毕，等您开始")),
    "running": ("going", "clock", _l("正在导入")),
    "done": ("good", "check", _l("已导入")),
    "failed": ("bad", "alert", _l("没有导入")),
    "stopped": ("plain", "stop", _l("已停止")),
    "expired": ("plain", "clock", _l("已过期")),
}
# what a row did, what it would do, sign, icon
IMPORT_OUTCOMES = {
    "new": (_l("新录入租约"), _l("将录入租约"), "good", "plus"),
    "changed": (_l("已更新租约"), _l("将更新租约"), "good", "pencil"),
    "same": (_l("与已有租约相同"), _l("与已有租约相同"), "plain", "check"),
    "kept": (_l("保持原样"), _l("将保持原样"), "plain", "pause"),
    "failed": (_l("没有导入"), _l("不能导入"), "bad", "alert"),
}
KEY_SIGNS = {
    "draft": ("plain", "pencil"),
    "invited": ("going", "send"),
    "claimed": ("going", "clock"),
    "active": ("good", "check"),
    "suspended": ("bad", "pause"),
    "revoking": ("going", "clock"),
    "revoked": ("plain", "stop"),
}
# Why a key opens nothing, to its holder: who suspended it, or on what ground it was ended.
KEY_REASONS = {
    "suspended_by_tenant": _l("钥匙已暂停，是您自己暂停的。按下面的“恢复钥匙”就能再用。"),
    "suspended_by_landlord": _l("钥匙已由房东暂停。房东只能凭退房、双方同意或法院裁定这样做。"),
    "check_out": _l("钥匙已停用：已办理退房。"),
    "both_agreed": _l("钥匙已停用：房东说双方已同意。"),
    "court_order": _l("钥匙已停用：依据法院裁定。"),
    "holder_request": _l("钥匙已停用：是您自己申请的。"),
    "never_active": _l("钥匙已停用：登记没有办完，租约已取消。"),
    "lost_phone": _l("钥匙已停用：您已把它换到另一部手机。"),
    "handover": _l("钥匙已停用：下一位住户已入住。"),
    "moved_in": _l("钥匙已停用：新住户已入住，以前发的临时钥匙不再有效。"),
    "over": _l("钥匙已过期：约定的日期已到。"),
    "consent_refused": _l("钥匙不能用：住户没有同意。"),
    "occupant_request": _l("钥匙已停用：住户停用了它。"),
    "landlord_request": _l("钥匙已停用：房东停用了它。"),
    "landlord_changed": _l("钥匙已停用：房东已更换。"),
    "issuer_left": _l("钥匙已停用：发钥匙的住户已搬走。"),
}
# A report as its reporter sees it: sign and icon, the state in words, what each step was.
REPORT_SIGNS = {
    "routed": ("going", "send"),
    "assigned": ("going", "clock"),
    "answered": ("good", "check"),
    "rated": ("plain", "check"),
}
REPORT_STATES = {
    "routed": ("已送到，等人领取", "Delivered, waiting to be taken"),
    "assigned": ("处理中", "Being handled"),
    "answered": ("已答复，请您评价", "Answered, please rate"),
    "rated": ("已办结", "Closed"),
}
REPORT_STEPS = {
    "report": ("您提出", "You reported it"),
    "route": ("送到办理部门", "Delivered to the office"),
    "claim": ("有人开始办理", "Somebody has taken it"),
    "visit": ("工作人员上门看过", "Staff came to see it"),
    "decide": ("已办理，正在复核", "Handled, being checked"),
    "answer": ("复核后答复", "Checked and answered"),
    "rate": ("您已评价", "You rated it"),
    "reopen": ("您要求重新办理", "You had it reopened"),
}
CONSENT_SIGNS = {
    "asked": ("going", "clock"),
    "given": ("good", "check"),
    "refused": ("plain", "stop"),
    "emergency": ("bad", "alert"),
}
WEEKDAYS = (_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日"))
REGISTRATION_SIGNS = {
    "invited": ("plain", "send"),
    "draft": ("going", "pencil"),
    "declared": ("going", "clock"),
    "sent": ("going", "clock"),
    "registered": ("good", "check"),
    "rejected": ("bad", "alert"),
    "not_sent": ("plain", "check"),
    "foreign_path": ("plain", "alert"),
    "disputed": ("bad", "person"),
    "moved_out": ("plain", "check"),
    "voided": ("plain", "stop"),
}
INVITATION_STATES = {
    "pending": ("going", "send", _l("等待租客打开")),
    "accepted": ("good", "check", _l("已接受")),
    "cancelled": ("plain", "stop", _l("已取消")),
    "expired": ("bad", "clock", _l("已过期")),
}
IDENTITY_PROGRESS = {
    "open": _l("未完成"),
    "attested": _l("已见证，待复核"),
    "verified": _l("已核验"),
    "review": _l("工作人员核验中"),
}
TODOS = {
    "claim_lock": _l("领取门锁"),
    "lock_offline": _l("门锁离线，请看一下"),
    "mandate_ends": _l("委托快到期，请续签"),
    "mandate_over": _l("委托已到期，请续签"),
    "report_tenant": _l("报告租客"),
    "report_returned": _l("登记机关退回了您的报告，请更正"),
    "invite": _l("邀请租客"),
    "attest": _l("租客的身份待核验，您可以当面见证"),
    "difference": _l("租客与您填写的证件不一致"),
    "foreign_form": _l("外国人住宿登记：24 小时内办理"),
    "lease_over": _l("租约已到期，租客搬走了吗？"),
}
HEALTH_WORDS = {
    "door.forced": _l("门被强行打开"),
    "tamper.cover": _l("锁盖被打开"),
    "lock.jammed": _l("锁舌卡住"),
    "lockout.started": _l("尝试次数太多，暂时锁定"),
    "lockout.ended": _l("锁定结束"),
    "battery.low": _l("电量低"),
    "battery.critical": _l("电量很低"),
    "power.restored": _l("恢复供电"),
    "factory_reset": _l("恢复出厂设置"),
    "clock.lost": _l("时钟丢失，已等待校时"),
    "log.overflow": _l("记录存满，部分较早的记录被覆盖"),
    "firmware.updated": _l("固件已更新"),
}
DOOR_WORDS = {
    "lock.unlocked": ("key", _l("开锁")),
    "lock.locked": ("lock", _l("上锁")),
    "door.opened": ("door", _l("门打开")),
    "door.closed": ("door", _l("门关上")),
    "access.denied": ("stop", _l("没有打开")),
    "inside.opened": ("door", _l("从里面打开")),
    "mech_key.used": ("key", _l("用了机械钥匙")),
    "lock.unlock_timeout": ("clock", _l("开锁后没有推门，已重新上锁")),
}
LOCK_REFUSALS = {
    "revoked": _l("钥匙已停用"),
    "old_epoch": _l("钥匙属于以前的租期"),
    "unknown_key": _l("门锁还不认识这把钥匙，请稍等片刻再试"),
    "no_right": _l("这把钥匙不能这样用"),
    "not_yet_valid": _l("还没到开始日期"),
    "expired": _l("指令过期，请再按一次"),
    "outside_schedule": _l("不在可用时间内"),
    "used_up": _l("可用次数已用完"),
    "jammed": _l("锁舌卡住了，请推紧门再试"),
    "need_time": _l("门锁正在校时，请再按一次"),
    "wrong_boot": _l("门锁刚刚重启，请再按一次"),
    "stale_counter": _l("门锁刚刚重启，请再按一次"),
    "lockout": _l("尝试次数太多，门锁暂时锁定"),
    "battery": _l("门锁电量不足"),
    "privacy": _l("屋里有人把门反锁了，请敲门"),
    "too_long_lived": _l("指令过期，请再按一次"),
}
ACTIONS_OF_CHALLENGE = {
    "turn_left": _l("请慢慢向左转头，再转回来"),
    "turn_right": _l("请慢慢向右转头，再转回来"),
    "open_mouth": _l("请张大嘴，再闭上"),
    "close_eyes": _l("请闭上眼睛，数一秒再睁开"),
}
OTHER_WAYS = {
    "window": (_l("到窗口当面核验"), _l("带上证件，到派出所或村流动人口窗口办理。可以约时间，也可以直接去。")),
    "live_video": (_l("预约视频核验"), _l("工作人员与您视频通话，当面看一下证件，不录像。")),
    "network_identity": (_l("国家网络身份认证"), _l("在认证服务自己的页面确认，只告诉我们是不是本人。")),
    "attestation": (_l("请房东当面见证"), _l("房东当面见到您、看过证件原件，在自己手机上确认。钥匙马上可以使用。")),
}
TASKS = {
    "notice": (_l("阅读告知书"), _l("一分钟读完：收集什么、给谁看、保存多久。")),
    "identity": (_l("填写身份"), _l("证件种类、号码和姓名，照证件填写。")),
    "face": (_l("核验身份"), _l("拍证件和一段自拍；也可以选其他方式。")),
    "declare": (_l("申报居住登记"), _l("入住日期和户籍地，不到一分钟。")),
    "key": (_l("领取钥匙"), _l("以上完成后，钥匙自动生效。")),
}
MENDERS = {
    "TENANT": _l("您，或代您申报的人"),
    "LANDLORD": _l("房东"),
    "OPERATOR": _l("平台工作人员"),
    "REGISTRY": _l("登记机关"),
}
COMMAND_STATES = {
    "queued": _l("正在发送…"),
    "sent": _l("已发送，等待门锁…"),
    "accepted": _l("门锁已收到…"),
    "executed": _l("门已打开"),
    "refused": _l("没有打开"),
    "expired": _l("门锁没有及时回应，指令已作废，门没有打开"),
    "unknown": _l("暂时不知道结果，门锁联网后会告诉我们"),
}
