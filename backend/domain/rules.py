"""Legal rules by id, as code, tests, screens and messages quote them."""

from __future__ import annotations

import re
from dataclasses import dataclass

LAWS = {
    "治安管理处罚法": "Public Security Penalties Law",
    "浙江省流动人口居住登记条例": "Zhejiang Residence Registration Regulation",
    "户口登记条例": "Household Registration Regulation",
    "出境入境管理法": "Exit and Entry Law",
    "居住证暂行条例": "Residence Permit Regulation",
    "住房租赁条例": "Housing Rental Regulation",
    "人脸识别技术应用安全管理办法": "Face Recognition Measures",
    "国家网络身份认证公共服务管理办法": "Network Identity Measures",
    "个人信息保护法": "Personal Information Protection Law",
}  # short names, for readers who know no number of a rule
_ARTICLE = re.compile(r" ?第(\d+)条")


@dataclass(frozen=True)
class LegalRule:
    """One rule: what it asks, in both languages, and where it stands."""

    id: str
    zh: str
    en: str
    source: str

    @property
    def source_en(self) -> str:
        """The same place by the law's short name in English."""
        words = _ARTICLE.sub(r", art. \1", self.source).replace("；", "; ")
        for zh, en in LAWS.items():
            words = words.replace(zh, en)
        return words


RULES: dict[str, LegalRule] = {
    rule.id: rule
    for rule in (
        LegalRule("PSAL-68", "出租人须登记承租人姓名、证件种类和号码。",
                  "The landlord records the tenant's name, document type and number.", "治安管理处罚法 第68条"),
        LegalRule("ZJ-9-1", "出租人自租赁之日起 3 个工作日内报告，并告知承租人申报。",
                  "The landlord reports the tenant within 3 working days of the lease's start.",
                  "浙江省流动人口居住登记条例 第9条"),
        LegalRule("ZJ-9-2", "租赁终止后 3 个工作日内报告。",
                  "The landlord reports the end within 3 working days.", "浙江省流动人口居住登记条例 第9条"),
        LegalRule("ZJ-12", "依法可以不申报居住登记的情形。", "Cases exempt from registration.",
                  "浙江省流动人口居住登记条例 第12条"),
        LegalRule("ZJ-13", "住址、工作单位变更 10 日内报告。", "A change of address or workplace is reported within 10 days.",
                  "浙江省流动人口居住登记条例 第13条"),
        LegalRule("ZJ-2", "户籍在同一县（市、区）的不属于流动人口。",
                  "Household registration in the same county: out of scope, not sent.",
                  "浙江省流动人口居住登记条例 第2条"),
        LegalRule("ZJ-7", "未满 16 周岁由监护人申报；老人、残疾人可由他人代为申报。",
                  "Under 16 the guardian declares; elderly and disabled people may be represented.",
                  "浙江省流动人口居住登记条例 第7条"),
        LegalRule("HK-15", "拟住 3 日以上的，3 日内申报暂住登记。",
                  "The tenant declares within 3 days when the stay is 3 days or more.", "户口登记条例 第15条"),
        LegalRule("EEL-39", "外国人住宿登记：24 小时内，另行办理。",
                  "Foreigners register within 24 hours, on a separate path.", "出境入境管理法 第39条"),
        LegalRule("ZJ-16", "登记满半年可申领居住证。", "Half a year after the declaration you can apply for the residence permit.",
                  "浙江省流动人口居住登记条例 第16条；居住证暂行条例 第2条"),
        LegalRule("RP-10", "居住证每年签注一次，在满一年之前一个月内办理；逾期的，证件使用功能中止，补办后恢复。",
                  "The residence permit is endorsed every year, in the month before the full year; late means suspended "
                  "until it is done.", "居住证暂行条例 第10条"),
        LegalRule("HR-7", "厨房、卫生间、阳台、过道、地下储藏室、车库不得出租居住；人均面积与人数依当地标准。",
                  "Kitchen, toilet, balcony, corridor, basement store and garage may not be let for living; persons and "
                  "area per head by local standard.", "住房租赁条例 第7条"),
        LegalRule("HR-8", "实名签约，并向住房部门备案。", "Real-name lease, filed with the housing authority.", "住房租赁条例 第8条"),
        LegalRule("HR-9", "出租人须向承租人出示身份证明和有权出租的证明，并配合核实。",
                  "The landlord shows the tenant who they are and what gives them the right to let, and helps to verify it.",
                  "住房租赁条例 第9条"),
        LegalRule("HR-12", "出租人不得强迫承租人搬离：钥匙不是驱逐工具。",
                  "The landlord may not force the tenant out: a key is not an eviction tool.", "住房租赁条例 第12条"),
        LegalRule("FACE-6", "人脸核验须单独同意，且不得作为唯一方式。",
                  "A face check needs separate consent and is never the only way.", "人脸识别技术应用安全管理办法"),
        LegalRule("FACE-8", "人脸信息的保存期限须为实现目的所必需的最短时间。",
                  "Face data is kept no longer than its purpose needs.", "人脸识别技术应用安全管理办法"),
        LegalRule("FACE-10", "能用其他方式核验的，人脸核验不得作为唯一方式。",
                  "Where another way can confirm somebody, the face is never the only one.",
                  "人脸识别技术应用安全管理办法"),
        LegalRule("NID-R", "国家网络身份认证自愿使用；只需核验的，只返回结果。",
                  "National network identity is voluntary; where a check is enough, only its result comes back.",
                  "国家网络身份认证公共服务管理办法"),
        LegalRule("PIPL-17", "处理前须告知。", "People are told before their data is processed.", "个人信息保护法 第17条"),
        LegalRule("PIPL-15", "同意可以随时撤回；撤回不影响之前已完成的处理。",
                  "Consent may be taken back at any time; what was finished under it stands.", "个人信息保护法 第15条"),
        LegalRule("PIPL-45", "有权查阅、复制自己的个人信息。", "Everybody may see their data and take a copy of it.",
                  "个人信息保护法 第45条"),
        LegalRule("PIPL-46", "发现信息不准确的，有权请求更正。", "Who finds data about them wrong may have it corrected.", "个人信息保护法 第46条"),
        LegalRule("PIPL-47", "有权请求删除个人信息；法定保存期未满的，期满前只存储、不使用。",
                  "Everybody may have their data deleted; what the law still keeps is stored until then and not used.",
                  "个人信息保护法 第47条"),
    )
}
