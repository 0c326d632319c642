"""The forms on paper: registration (登记表) and check-out, prefilled or blank, in Chinese or English.

They serve the window, people without a phone, and an outage: four hours before a deadline the form is
filed by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from backend.domain.documents import DOCUMENT_TYPES, mask_number
from backend.domain.registrations import CHECK_OUT_REASONS, PLACE_TYPES, REASONS_OF_STAY
from backend.printing.paper import SOFT, Imprint, Words
from backend.printing.tables import NUMBER_BOXES, Cell, FormPaper

# Foreigners have a form of their own (EEL-39).
_DOCUMENTS: dict[str, Words] = {code: (kind.zh, kind.en) for code, kind in DOCUMENT_TYPES.items() if not kind.foreign}
_SEXES: dict[str, Words] = {"male": ("男", "male"), "female": ("女", "female")}
_DECLARED_BY: dict[str, Words] = {
    "self": ("本人", "the person"),
    "guardian": ("监护人", "guardian"),
    "relative": ("亲属代办", "relative"),
    "window": ("窗口", "window"),
    "paper": ("书面", "on paper"),
}
_OUTAGE: Words = (
    "系统故障期间使用：请在期限前把本表交到窗口。系统内已记录的申报时间不变，居住证仍从该时间起算。",
    "For use while the system is down: hand this in at the window before the deadline. The declaration's recorded time "
    "stays, and the residence permit still counts from it.",
)


@dataclass(frozen=True)
class Companion:
    """Somebody who lives along: a row of the registration form."""

    name: str
    relation: str = ""
    id_number: str = ""


@dataclass(frozen=True)
class RegistrationForm:
    """The registration on paper; every field may be empty, and an empty one is room to write.

    Codes are those of the domain's tables. `id_number` is masked unless `for_holder`: only the person's own print shows
    it whole. `due_at` with `is_outage` marks the paper form of an outage.
    """

    reference: str = ""
    name: str = ""
    id_type: str | None = None
    id_number: str = ""
    sex: str | None = None
    birth_on: date | None = None
    hukou: str = ""
    phone: str = ""
    address: str = ""
    public_number: str = ""
    place_type: str | None = None
    move_in_on: date | None = None
    planned_end_on: date | None = None
    reason: str | None = None
    companions: Sequence[Companion] = ()
    declared_at: datetime | None = None
    declared_by: str | None = None
    declarer: str = ""
    landlord: str = ""
    due_at: datetime | None = None
    is_outage: bool = False
    for_holder: bool = False


@dataclass(frozen=True)
class CheckOutForm:
    """The check-out on paper; empty fields are room to write, the number is masked unless `for_holder`."""

    reference: str = ""
    receipt_no: str = ""
    name: str = ""
    id_type: str | None = None
    id_number: str = ""
    address: str = ""
    public_number: str = ""
    moved_out_on: date | None = None
    reason: str | None = None
    new_place: str = ""
    reported_by: str = ""
    for_holder: bool = False


def shown_number(number: str, for_holder: bool) -> str:
    """A document number as it may stand on a form."""
    return number if for_holder or not number else mask_number(number)


def print_registration_form(form: RegistrationForm, imprint: Imprint) -> bytes:
    """One A4 page 居住登记表: person, residence, who lives along, who declares, the office's part, signatures."""
    title = ("居住登记表", "Residence registration form")
    paper = FormPaper(imprint, title)
    paper.head(title, _headline(paper, form.reference, form.due_at))
    if form.is_outage:
        paper.say(paper.pick(_OUTAGE), 9.5, bold=True, after=0)
    _person(paper, form)
    _residence(paper, form)
    paper.section(("同住人", "Living along"))
    paper.listing(
        [(("姓名", "Name"), 3), (("关系", "Relation"), 2), (("证件号码", "Document number"), 4)],
        [(each.name, each.relation, shown_number(each.id_number, form.for_holder)) for each in form.companions],
        least=2,
    )
    paper.section(("申报", "Declaration"))
    paper.ticks(("申报人", "Declared by"), _DECLARED_BY, form.declared_by)
    paper.row(
        Cell(("代办人姓名", "Declarer's name"), form.declarer),
        Cell(("申报时间", "Time"), paper.moment(form.declared_at)),
    )
    _office(paper)
    paper.quote("HK-15", "ZJ-7")
    paper.signatures([("申报人：以上内容属实", "Declarer: the above is true"), ("经办人", "Clerk")])
    return paper.finish()


def print_check_out_form(form: CheckOutForm, imprint: Imprint) -> bytes:
    """One A4 page 离开登记表: who, from where, when, why, the office's part, signatures."""
    title = ("离开登记表", "Check-out form")
    paper = FormPaper(imprint, title)
    paper.head(title, _headline(paper, form.reference, None))
    paper.section(("离开的人", "Person leaving"))
    paper.row(Cell(("姓名", "Name"), form.name), Cell(("登记凭证号", "Receipt number"), form.receipt_no, 1.3))
    paper.ticks(("证件种类", "Document"), _DOCUMENTS, form.id_type)
    paper.row(Cell(("证件号码", "Number"), shown_number(form.id_number, form.for_holder), boxes=NUMBER_BOXES))
    paper.section(("住处", "Residence"))
    paper.row(Cell(("地址", "Address"), form.address), height=14)
    paper.row(
        Cell(("房屋编号", "Dwelling no."), form.public_number),
        Cell(("离开日期", "Moved out on"), paper.day(form.moved_out_on)),
    )
    paper.ticks(("离开原因", "Reason"), CHECK_OUT_REASONS, form.reason)
    paper.row(Cell(("新的住处（可不填）", "New place (optional)"), form.new_place), height=14)
    paper.row(Cell(("申报人", "Reported by"), form.reported_by))
    _office(paper)
    paper.quote("ZJ-13", "ZJ-9-2", "HR-12")
    paper.signatures([("申报人：以上内容属实", "Person reporting: the above is true"), ("经办人", "Clerk")])
    return paper.finish()


def _headline(paper: FormPaper, reference: str, due_at: datetime | None) -> str:
    said = [f"{paper.pick(('编号', 'Reference'))} {reference}"] if reference else []
    if due_at is not None:
        said.append(f"{paper.pick(('最迟', 'Due by'))} {paper.moment(due_at)}")
    return "    ".join(said)


def _person(paper: FormPaper, form: RegistrationForm) -> None:
    paper.section(("申报的人", "Person"))
    sex = paper.pick(_SEXES[form.sex]) if form.sex else paper.pick(("男 / 女", "male / female"))
    paper.row(Cell(("姓名", "Name"), form.name, 1.3), Cell(("性别", "Sex"), sex))
    paper.ticks(("证件种类", "Document"), _DOCUMENTS, form.id_type)
    paper.row(Cell(("证件号码", "Number"), shown_number(form.id_number, form.for_holder), boxes=NUMBER_BOXES))
    paper.row(Cell(("出生日期", "Born on"), paper.day(form.birth_on)), Cell(("手机号码", "Phone"), form.phone))
    paper.row(Cell(("户籍地（到区县）", "Hukou (county)"), form.hukou))


def _residence(paper: FormPaper, form: RegistrationForm) -> None:
    paper.section(("住处", "Residence"))
    paper.row(Cell(("地址", "Address"), form.address), height=12)
    paper.row(Cell(("房屋编号", "Dwelling no."), form.public_number), Cell(("房东", "Landlord"), form.landlord))
    paper.ticks(("住所类型", "Kind of place"), PLACE_TYPES, form.place_type)
    paper.row(
        Cell(("入住日期", "Moved in on"), paper.day(form.move_in_on)),
        Cell(("预计离开", "Planned end"), paper.day(form.planned_end_on)),
    )
    paper.ticks(("事由（可不填）", "Reason (optional)"), REASONS_OF_STAY, form.reason)


def _office(paper: FormPaper) -> None:
    paper.section(("窗口填写", "For the office"))
    paper.row(Cell(("收表时间", "Received at")), Cell(("登记凭证号", "Receipt number"), "", 1.3))
    paper.y += 1
    said = (
        "窗口看原件、不收复印件；号码中间的星号由窗口核对后补入系统。",
        "The window looks at the document and keeps no copy; a number with stars is completed in the system there.",
    )
    paper.say(paper.pick(said), 8.5, colour=SOFT, after=0.6)
