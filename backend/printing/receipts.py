"""The receipt (登记凭证) on paper: of a declaration, of a check-out, of a landlord's report. No document number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from backend.printing.paper import MARGIN, SOFT, Imprint, Paper, Words

QR_SIDE = 62.0
TITLES: dict[str, Words] = {
    "declaration": ("居住登记凭证", "Receipt of residence registration"),
    "check_out": ("离开登记凭证", "Receipt of check-out"),
    "landlord_report": ("房东报告回执", "Receipt of the landlord's report"),
}
_RULES = {"declaration": ("HK-15", "ZJ-16"), "check_out": ("ZJ-13",), "landlord_report": ("PSAL-68", "ZJ-9-1")}
_SIGNED = (
    "二维码里是登记机关的签名，不联网也能查验：用手机扫，或打开下面的地址。签名证明编号、登记版本和时间；姓名和地址是打印上去的，"
    "不在签名里。凭证不含证件号码。",
    "The QR code holds the registry's signature and is verified without a network: scan it with a phone or open the "
    "address below. The signature proves number, version and times; name and address are printed and not part of it. "
    "No document number stands here.",
)


@dataclass(frozen=True)
class ReceiptPaper:
    """What a receipt says. `kind` is a key of TITLES; `link` is the QR code's text, which ends in the signed token.

    `holder_name` is left out on the landlord's: it says nothing of the tenant.
    """

    kind: str
    number: str
    link: str
    address: str
    declared_at: datetime
    accepted_at: datetime
    holder_name: str = ""
    moved_out_on: date | None = None


def print_receipt(receipt: ReceiptPaper, imprint: Imprint) -> bytes:
    """One A4 page: the facts, the QR code, the rules, a place to sign. The token also stands in the file's keywords."""
    title = TITLES[receipt.kind]
    paper = Paper(imprint, title, keywords=receipt.link)
    paper.head(title, title[1] if imprint.language == "zh" else title[0])
    paper.y += 2
    told: Words = ("申报时间", "Declared at")
    if receipt.kind == "landlord_report":
        told = ("报告时间", "Reported at")
    paper.answers(
        [
            (("凭证编号", "Receipt number"), receipt.number),
            (("姓名", "Name"), receipt.holder_name),
            (("地址", "Address"), receipt.address),
            (told, paper.moment(receipt.declared_at)),
            (("受理时间", "Accepted at"), paper.moment(receipt.accepted_at)),
            (("离开日期", "Moved out on"), paper.day(receipt.moved_out_on)),
        ]
    )
    paper.rule_off()
    draw_proof(paper, receipt.link)
    paper.quote(*_RULES[receipt.kind])
    paper.signatures([("持有人", "Holder"), ("经办人（窗口打印时）", "Clerk, when printed at a window")])
    return paper.finish()


def draw_proof(paper: Paper, link: str) -> None:
    """The QR code and, beside it, what it proves and where it is verified; the pen goes below both."""
    top = paper.y
    paper.draw_qr(link, MARGIN - 3, top, QR_SIDE)
    x = MARGIN + QR_SIDE
    width = paper.w - MARGIN - x
    y = paper.write_at(x, top + 4, paper.pick(("查验", "To verify")), 12, bold=True, width=width)
    y = paper.write_at(x, y + 1, paper.pick(_SIGNED), 9.5, width=width, lead=1.6)
    y = paper.write_at(x, y + 1.5, link.partition("#")[0], 9.5, width=width, colour=SOFT)
    paper.y = max(y, top + QR_SIDE) + 2
