"""The claim code of a lock, as it stands on the sticker: ANJU-7K2M-Q9XD."""

from __future__ import annotations

_MAKER, _LETTERS = "ANJU", 8


def spell_claim_code(typed: str) -> str:
    """The code as printed, however it was typed: small letters, with other gaps or none, without the maker's name.

    What has not the length of a code stays as typed, without blanks: it is nobody's, or of a manifest with other codes.
    """
    bare = "".join(letter for letter in typed.upper() if letter.isalnum())
    code = bare.removeprefix(_MAKER) if len(bare) > _LETTERS else bare
    if len(code) != _LETTERS:
        return "".join(typed.split()).upper()
    return f"{_MAKER}-{code[:4]}-{code[4:]}"
