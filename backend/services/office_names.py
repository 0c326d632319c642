"""What an office is called in English: of the agreements, which name both, and of the list the operator keeps."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.db import transaction
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.offices import OfficeName
from backend.models.sharing import DataSharingAgreement
from backend.services.audit import Actor, write_leaf

LONGEST = 120
OURS = {"居住登记机关": "Residence registry"}  # as our own leaves name it


def english_names(session: Session) -> dict[str, str]:
    """English names by Chinese ones; there are few offices, so all are read at once."""
    agreed = select(DataSharingAgreement.office_zh, DataSharingAgreement.office_en).order_by(
        DataSharingAgreement.version
    )
    listed = select(OfficeName.zh, OfficeName.en)
    told = {zh: en for statement in (agreed, listed) for zh, en in session.execute(statement).all()}
    return {**OURS, **told}


def name_office(world: World, *, zh: str, en: str) -> None:
    """Say what an office is called in English; said anew, the last name counts. Raises Refused input.length."""
    zh, en = zh.strip(), en.strip()
    for field, said in (("zh", zh), ("en", en)):
        if not 1 <= len(said) <= LONGEST:
            raise Refused("input.length", field, least=1, most=LONGEST)
    with transaction() as session:
        known = session.get(OfficeName, zh)
        if known is None:
            session.add(OfficeName(zh=zh, en=en))
        elif known.en == en:
            return
        else:
            known.en = en
        write_leaf(world, session, Actor("operator"), "office_named", object_kind="office", object_id=zh)
