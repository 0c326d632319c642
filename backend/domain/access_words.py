"""What a person reads about looks at their data, in words of both languages: acts, fields, purposes."""

from __future__ import annotations

from backend.domain import purposes, sharing

ACTS: dict[str, tuple[str, str]] = {
    **purposes.DISCLOSURES,
    "office_told": ("按数据共享协议告知其他单位", "Told to another office under a data-sharing agreement"),
    "office_fetched": ("其他单位按数据共享协议获取", "Fetched by another office under a data-sharing agreement"),
    "office_reported": ("其他单位通报了与您有关的变动", "Another office reported a change about you"),
    "registry_sent": ("居住登记送往登记机关", "Your registration was sent to the registry"),
    "registry_read": ("登记机关查看了您的登记", "Your record was read at the registry"),
    "registration_correction_received": ("登记机关通知了一处更正", "The registry has told of a correction"),
    "registry_accepted": ("登记机关受理了您的居住登记", "The registry accepted your registration"),
    "registry_rejected": ("登记机关退回了您的居住登记", "The registry returned your registration"),
    "identity_window": ("当面核验了您的身份", "Checked your identity in person"),
    "identity_live_video": ("通过视频核验了您的身份", "Checked your identity by live video"),
    "appointment_linked": ("为您的视频预约发了链接", "Set the link of your video appointment"),
    "appointment_ended": ("记下了您的预约是否赴约", "Noted whether your appointment was kept"),
    "registration_check_out": ("为您办理了离开登记", "Recorded your move-out"),
    "right_seen": ("核看了您的出租权证明", "Saw what gives you the right to let"),
    "right_unseen": ("撤销了核看出租权的记录（记错了）", "Took back, as an error, that your right to let was seen"),
    "key_revoke": ("停用了您的钥匙", "Ended your key"),
    "registration_void": ("作废了您的一条登记", "Voided a registration of yours"),
    "registration_foreign_done": ("记下您的住宿登记已办理", "Noted that your accommodation registration is done"),
    "registration_left_after_void": ("确认您已离开，租约和钥匙结束", "Confirmed that you have left: lease and key end"),
    "registration_stays_after_void": ("确认您仍住在这里", "Confirmed that you still live there"),
    "registration_still_living": ("确认您仍住在这里", "Confirmed that you still live there"),
    "registration_renumbered": ("住址换了新门牌，登记随之更新", "Your registration follows your home's new address"),
}
ANOTHER_ACT = ("处理了与您有关的事项", "Handled a matter about you")
FIELD_NAMES: dict[str, tuple[str, str]] = {
    **purposes.FIELDS,
    **{code: (field.zh, field.en) for code, field in sharing.FIELDS.items()},
    **sharing.INBOUND_FIELDS,
    "move_in_on": ("入住日期", "move-in date"),
    "planned_end_on": ("预计离开日期", "planned end"),
    "reason": ("事由", "reason of stay"),
    "hukou_division": ("户籍地", "place of household registration"),
    "phone": ("手机号", "phone"),
    "sex": ("性别", "sex"),
    "birth_on": ("出生日期", "date of birth"),
    "nationality": ("国籍", "nationality"),
    "moved_out_on": ("离开日期", "move-out date"),
    "checkout_reason": ("离开原因", "reason of leaving"),
    "void_reason": ("作废原因", "reason of voiding"),
    "receipt_no": ("凭证编号", "receipt number"),
    "unit_no": ("房间编号", "number of the unit"),
    "division": ("行政区划", "division"),
    "place_type": ("住所类型", "kind of place"),
    "basis": ("没有租约的原因", "why there is no lease"),
    "declared_by": ("由谁申报", "who declared"),
    "notice_version": ("告知书版本", "version of the notice"),
    "relation": ("与户主关系", "relation"),
    "guardian_name": ("监护人姓名", "guardian's name"),
    "guardian_id_type": ("监护人证件类型", "guardian's document type"),
    "guardian_id_number": ("监护人证件号码", "guardian's document number"),
    "unit_id": ("房间", "unit"),
    "exemption": ("不用申报的情形", "ground of exemption"),
    "exempt_until": ("不用申报到", "exempt until"),
    "changed_on": ("变动日期", "day of the change"),
    "representation": ("代为申报的原因", "why somebody else declared"),
    "foreign_form_no": ("登记表编号", "number of the form"),
    "foreign_done_at": ("公安机关受理日期", "day the police took the form"),
    "moved_out_reason": ("离开原因", "reason of leaving"),
    "name_latin": ("拉丁文姓名", "name in Latin letters"),
    "guardian_relation": ("监护关系", "guardian's relation"),
}

_OWN_PURPOSES = {name: code for code, row in purposes.PURPOSES.items() for name in (row.zh, row.en)}
_REGISTRATION = ("办理居住登记", "Registering a residence")


def act_words(code: str) -> tuple[str, str]:
    """What was done with one's data."""
    return ACTS.get(code, ANOTHER_ACT)


def field_words(code: str) -> tuple[str, str]:
    """A field of one's data; the registry names them by their place in a message. An unknown one stands for itself."""
    name = code.rsplit("/", 1)[-1]
    return FIELD_NAMES.get(name, (name, name))


def purpose_words(code: str) -> tuple[str, str]:
    """A purpose; what another office wrote freely stands for itself, unless it is the name of one of ours."""
    code = _OWN_PURPOSES.get(code, code)
    if code == "residence_registration":
        return _REGISTRATION
    if code == purposes.EMERGENCY:
        return purposes.EMERGENCY_NAME
    own = purposes.PURPOSES.get(code)
    if own is not None:
        return own.zh, own.en
    if code in sharing.OFFICE_PURPOSES:
        zh, en, _ = sharing.OFFICE_PURPOSES[code]
        return zh, en
    return purposes.EVIDENCE_GROUNDS.get(code, (code, code))
