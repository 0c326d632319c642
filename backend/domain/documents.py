"""Identity documents: types, numbers, what a number says and what it must not be asked.

The area part of a number is where it was first issued; no function here infers an origin from it. A valid check digit
does not mean that the number exists.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from stdnum.cn import ric
from stdnum.exceptions import InvalidComponent, InvalidFormat, InvalidLength, ValidationError
from stdnum.iso7064 import mod_11_2

from backend.domain.refusals import Refusal

RESIDENT_ID = "111"  # 居民身份证, GB 11643
PASSPORT = "414"
HKM_PERMIT = "516"  # residence permit of Hong Kong and Macao people
TAIWAN_PERMIT = "511"  # residence permit of Taiwan people
FOREIGN_PERMANENT = "553"  # foreign permanent resident card

_EIGHTEEN = re.compile(r"\d{17}[\dX]")
_OLD_PERMANENT = re.compile(r"[A-Z]{3}\d{12}")
_PASSPORT = re.compile(r"[A-Z0-9]{5,17}")
_PERMIT_PREFIXES = {HKM_PERMIT: ("810000", "820000"), TAIWAN_PERMIT: ("830000",)}


@dataclass(frozen=True)
class DocumentType:
    """A document type: its code, its names, and whether birth and sex follow from an 18-digit number."""

    code: str
    zh: str
    en: str
    foreign: bool = False


DOCUMENT_TYPES: dict[str, DocumentType] = {
    kind.code: kind
    for kind in (
        DocumentType(RESIDENT_ID, "居民身份证", "Resident identity card"),
        DocumentType(HKM_PERMIT, "港澳居民居住证", "Residence permit for Hong Kong and Macao residents"),
        DocumentType(TAIWAN_PERMIT, "台湾居民居住证", "Residence permit for Taiwan residents"),
        DocumentType(FOREIGN_PERMANENT, "外国人永久居留身份证", "Foreign permanent resident card", foreign=True),
        DocumentType(PASSPORT, "护照", "Passport", foreign=True),
    )
}
USUAL_DOCUMENT = RESIDENT_ID  # stands chosen in a form; whoever has another one sees it and chooses


@dataclass(frozen=True)
class Document:
    """A checked document; `birth_on` and `sex` are given when the number says them."""

    id_type: str
    id_number: str
    birth_on: date | None
    sex: str | None


def normalise_number(text: str) -> str:
    """Upper case, full-width to half-width, without spaces and hyphens: x becomes X."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()


def decide_document(id_type: str, id_number: str, today: date) -> Document | Refusal:
    """Check type, form, check digit and the date of birth in a number."""
    if id_type not in DOCUMENT_TYPES:
        return Refusal("document.type", "id_type", allowed=tuple(DOCUMENT_TYPES))
    number = normalise_number(id_number)
    if id_type == PASSPORT:
        ok = _PASSPORT.fullmatch(number) is not None
        return Document(id_type, number, None, None) if ok else Refusal("document.form", "id_number")
    if id_type == FOREIGN_PERMANENT and _OLD_PERMANENT.fullmatch(number):
        return Document(id_type, number, None, None)
    return _decide_eighteen(id_type, number, today)


def _decide_eighteen(id_type: str, number: str, today: date) -> Document | Refusal:
    if not _EIGHTEEN.fullmatch(number) or not _prefix_fits(id_type, number):
        return Refusal("document.form", "id_number")
    if not mod_11_2.is_valid(number):
        return Refusal("document.check_digit", "id_number")
    try:
        birth_on = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return Refusal("document.birth", "id_number")
    if not date(1900, 1, 1) <= birth_on <= today:
        return Refusal("document.birth", "id_number")
    if id_type == RESIDENT_ID and not _library_accepts(number):
        return Refusal("document.form", "id_number")
    return Document(id_type, number, birth_on, "male" if int(number[16]) % 2 else "female")


def _prefix_fits(id_type: str, number: str) -> bool:
    if id_type == FOREIGN_PERMANENT:
        return number.startswith("9")
    prefixes = _PERMIT_PREFIXES.get(id_type)
    return number.startswith(prefixes) if prefixes else number[0] in "12345678" and not number.startswith(("81", "82"))


def _library_accepts(number: str) -> bool:
    """python-stdnum's own check; an area code it does not know yet is not held against a person."""
    try:
        ric.validate(number)
    except InvalidComponent:
        return True
    except (InvalidFormat, InvalidLength, ValidationError):
        return False
    return True


def mask_number(number: str) -> str:
    """First three and last two characters; the rest is hidden."""
    return number[:3] + "*" * max(len(number) - 5, 4) + number[-2:]


def is_foreign(id_type: str) -> bool:
    """Whether the holder registers on the foreigners' path (EEL-39)."""
    return DOCUMENT_TYPES[id_type].foreign
