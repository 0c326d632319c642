"""The accommodation registration of a foreigner (EEL-39): filed by hand within 24 hours, never sent to the registry.

Labels stand in both languages whatever the paper's language is: the guest and the office read it together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from backend.domain.documents import DOCUMENT_TYPES
from backend.printing.forms import shown_number
from backend.printing.paper import Imprint, Words
from backend.printing.tables import NUMBER_BOXES, Cell, FormPaper

_DOCUMENTS: dict[str, Words] = {code: (kind.zh, kind.en) for code, kind in DOCUMENT_TYPES.items() if kind.foreign}
_SEXES: dict[str, Words] = {"male": ("男", "Male"), "female": ("女", "Female"), "other": ("其他", "Other")}
_WIDE = 36.0
_NOTE: Words = (
    "请在入住后 24 小时内把本表交到住地派出所。本表不由安居发送给任何机关；交表后请把回执告诉房东或窗口。",
    "Hand this form in at the local police station within 24 hours of arrival. Anju sends it to no office; afterwards "
    "tell the window or your host that it was received.",
)


@dataclass(frozen=True)
class ForeignForm:
    """What is known of guest, document, stay and host; empty fields are room to write.

    `id_number` is masked unless `for_holder`: the form that the guest prints and signs himself shows it whole.
    """

    form_no: str = ""
    due_at: datetime | None = None
    surname: str = ""
    given_names: str = ""
    name_zh: str = ""
    sex: str | None = None
    birth_on: date | None = None
    nationality: str = ""
    id_type: str | None = None
    id_number: str = ""
    document_until: date | None = None
    visa_kind: str = ""
    visa_number: str = ""
    visa_until: date | None = None
    entered_on: date | None = None
    entered_at: str = ""
    phone: str = ""
    address: str = ""
    public_number: str = ""
    arrived_on: date | None = None
    leaves_on: date | None = None
    host: str = ""
    host_phone: str = ""
    for_holder: bool = False


class _GuestPaper(FormPaper):
    bilingual = True


def print_foreign_form(form: ForeignForm, imprint: Imprint) -> bytes:
    """One A4 page 外国人住宿登记表, bilingual: guest, document, stay, host, office, signatures."""
    title = ("外国人住宿登记表", "Registration form of accommodation for foreigners")
    paper = _GuestPaper(imprint, (f"{title[0]} {title[1]}",) * 2)
    paper.head((title[0], title[0]), title[1])
    said = [f"编号 No. {form.form_no}"] if form.form_no else []
    if form.due_at is not None:
        said.append(f"最迟 Due by {paper.moment(form.due_at)}")
    if said:
        paper.say("    ".join(said), 10.5, bold=True, after=0)
    _guest(paper, form)
    _stay(paper, form)
    paper.section(("派出所填写", "For the police station"))
    paper.row(_cell("收表时间", "Received at"), _cell("经办人", "Officer"))
    paper.y += 1.5
    for words in _NOTE:
        paper.say(words, 8.8, after=0.4)
    paper.quote("EEL-39")
    paper.signatures([("住宿人", "Guest"), ("留宿人或房东", "Host or landlord")], bilingual=True)
    return paper.finish()


def _guest(paper: FormPaper, form: ForeignForm) -> None:
    paper.section(("住宿人", "Guest"))
    paper.row(_cell("姓", "Surname", form.surname), _cell("名", "Given names", form.given_names))
    paper.row(_cell("中文姓名", "Name in Chinese", form.name_zh), _cell("国籍", "Nationality", form.nationality))
    paper.ticks(("性别", "Sex"), _SEXES, form.sex, label_width=_WIDE)
    paper.row(_cell("出生日期", "Date of birth", paper.day(form.birth_on)), _cell("联系电话", "Phone", form.phone))
    paper.section(("证件和签证", "Document and visa"))
    paper.ticks(("证件种类", "Document"), _DOCUMENTS, form.id_type, label_width=_WIDE)
    number = shown_number(form.id_number, form.for_holder)
    paper.row(Cell(("证件号码", "Number"), number, boxes=NUMBER_BOXES, label_width=_WIDE))
    paper.row(
        _cell("证件有效期至", "Document valid until", paper.day(form.document_until)),
        _cell("签证种类", "Kind of visa", form.visa_kind),
    )
    paper.row(
        _cell("签证号码", "Visa number", form.visa_number),
        _cell("停留有效期至", "Stay permitted until", paper.day(form.visa_until)),
    )
    paper.row(
        _cell("入境日期", "Date of entry", paper.day(form.entered_on)),
        _cell("入境口岸", "Port of entry", form.entered_at),
    )


def _stay(paper: FormPaper, form: ForeignForm) -> None:
    paper.section(("住宿", "Stay"))
    paper.row(_cell("住址", "Address", form.address), height=12)
    paper.row(
        _cell("入住日期", "Arrival", paper.day(form.arrived_on)),
        _cell("拟离开日期", "Planned departure", paper.day(form.leaves_on)),
    )
    paper.row(_cell("留宿人或房东", "Host", form.host), _cell("电话", "Host's phone", form.host_phone))
    paper.row(_cell("房屋编号", "Dwelling no.", form.public_number))


def _cell(zh: str, en: str, value: str = "") -> Cell:
    return Cell((zh, en), value, label_width=_WIDE)
