"""A letter for a person without a phone: the receipt of the registration, or a code and how it is used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.printing.paper import Imprint, Paper, Words
from backend.printing.receipts import draw_proof

_TITLES: dict[str, Words] = {
    "receipt": ("居住登记办好了", "Your residence is registered"),
    "code": ("您的密码", "Your code"),
}
_BODIES: dict[str, Words] = {
    "receipt": (
        "您的居住登记已由登记机关受理，编号如下。请保存好这张纸：需要证明时，请对方扫描二维码查验。满半年可以凭它申领居住证，"
        "不用另外打证明。",
        "The registry has accepted your residence registration under the number below. Keep this paper: whoever needs "
        "proof scans the QR code. Half a year after the declaration you can ask for the residence permit with it.",
    ),
    "code": (
        "下面的密码只给您本人使用。请不要把它告诉别人，也不要写在门上。用不了或者弄丢了，请到窗口或找网格员，马上换新的。",
        "The code below is for you alone. Tell it to nobody and do not write it on the door. If it fails or is lost, "
        "come to the window or ask the grid worker: you get a new one at once.",
    ),
}
_RULES = {"receipt": ("HK-15", "ZJ-16"), "code": ("HR-12",)}


@dataclass(frozen=True)
class Letter:
    """To whom and where, and of which `kind`: 'receipt' (number, link, declared_at), 'code' (code, code_for,
    times) or 'notice'.

    'notice' says `title` and `body`, both in both languages, and quotes `rule`. `contact` is whom to ask: an office and
    its phone number.
    """

    kind: str
    addressee: str
    address: str
    number: str = ""
    link: str = ""
    declared_at: datetime | None = None
    code: str = ""
    code_for: str = ""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    contact: str = ""
    title: Words = ("", "")
    body: Words = ("", "")
    rule: str = ""


def print_letter(letter: Letter, imprint: Imprint) -> bytes:
    """One A4 page in large letters, with the address where a window envelope shows it."""
    title = _TITLES.get(letter.kind, letter.title)
    paper = Paper(imprint, title, keywords=letter.link)
    if imprint.office:
        paper.write_at(18, 18, imprint.office, 10)
    paper.write_at(20, 46, f"{letter.addressee}\n{letter.address}", 12, width=82)  # DIN 680 envelopes: 20-110, 45-90
    paper.y = 96
    paper.say(paper.pick(title), 20, bold=True, after=3)
    paper.say(paper.pick(_BODIES.get(letter.kind, letter.body)), 14, lead=1.7, after=4)
    if letter.kind == "code":
        paper.say("  ".join(letter.code[at : at + 4] for at in range(0, len(letter.code), 4)), 34, bold=True, after=3)
    paper.answers(
        [
            (("凭证编号", "Receipt number"), letter.number),
            (("申报时间", "Declared at"), paper.moment(letter.declared_at)),
            (("用途", "For"), letter.code_for),
            (("开始时间", "Valid from"), paper.moment(letter.valid_from)),
            (("有效期至", "Valid until"), paper.moment(letter.valid_until)),
            (("有问题请找", "Questions"), letter.contact),
        ]
    )
    if letter.link:
        draw_proof(paper, letter.link)
    paper.quote(*_RULES.get(letter.kind, (letter.rule,) if letter.rule else ()))
    if not letter.link or paper.y < 245:
        paper.signatures([("签收人", "Received by"), ("经办人", "Handed over by")])
    return paper.finish()
