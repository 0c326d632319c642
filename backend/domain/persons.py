"""Names, ages and phones of persons."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

import phonenumbers

from backend.domain.refusals import Refusal

# CJK unified ideographs with extensions A to I and compatibility ideographs, the middle dot between them.
_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_CHINESE = re.compile(rf"[{_HAN}](?:[{_HAN}·]{{0,48}}[{_HAN}])?")
_LETTER = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_LATIN = re.compile(rf"[{_LETTER}][{_LETTER} .,'’-]*")
_DOTS = str.maketrans({"•": "·", "‧": "·", "．": "·", "・": "·", "∙": "·", "⋅": "·"})


def decide_name(text: str, field: str = "name") -> str | Refusal:
    """The name in NFC with one kind of middle dot: 1–50 characters, Chinese or Latin letters."""
    name = unicodedata.normalize("NFC", " ".join(text.split())).translate(_DOTS)
    if not 1 <= len(name) <= 50:
        return Refusal("person.name", field)
    if _CHINESE.fullmatch(name) or _LATIN.fullmatch(name):
        return name
    return Refusal("person.name", field)


def name_key(name: str) -> str:
    """What two spellings of one whole name have in common: capitals, accents' encoding and spaces do not count."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def decide_phone(text: str, field: str = "phone") -> str | Refusal:
    """The phone number in E.164; without a country code it is Chinese."""
    try:
        number = phonenumbers.parse(unicodedata.normalize("NFKC", text), "CN")
    except phonenumbers.NumberParseException:
        return Refusal("phone.invalid", field)
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    if not phonenumbers.is_valid_number(number) or phonenumbers.number_type(number) not in mobile:
        return Refusal("phone.invalid", field)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def mask_phone(phone: str) -> str:
    """Country code, first three and last two digits: +86 139******07."""
    if phone.startswith("+86"):
        return f"{phone[3:6]}******{phone[-2:]}"
    return f"{phone[:5]}******{phone[-2:]}"


def age_on(birth_on: date, today: date) -> int:
    """Full years of age on `today`; someone born on 29 February is a year older on 1 March."""
    return today.year - birth_on.year - ((today.month, today.day) < (birth_on.month, birth_on.day))


AGE_BANDS = ("0_15", "16_24", "25_44", "45_59", "60_up")  # of the statistics, where only their numbers are kept


def statistics_band(birth_on: date, today: date) -> str:
    """The band of AGE_BANDS somebody is in."""
    age = age_on(birth_on, today)
    return AGE_BANDS[sum(age >= least for least in (16, 25, 45, 60))]


def age_band(birth_on: date, today: date) -> str:
    """'under_14' (never by face, FACE-6), 'under_16' (guardian declares, ZJ-7) or 'adult'."""
    age = age_on(birth_on, today)
    return "under_14" if age < 14 else "under_16" if age < 16 else "adult"
