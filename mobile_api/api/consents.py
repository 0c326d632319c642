"""Notices and consents."""

from __future__ import annotations

from typing import Any

from backend.domain.notices import NOTICES
from backend.services import consents
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.consents import ConsentAnswer, ConsentShown, NoticeTextShown

blueprint = Blueprint("consents", "告知与同意", "Notices and consents")


@blueprint.get("/consent-texts")
@blueprint.response(200, NoticeTextShown(many=True))
def list_texts() -> Any:
    """Read the notice and the separate consent to the face check, in both languages.

    阅读告知书和人脸核验单独同意书。
    """
    return [text.named(world().house.handler) for text in NOTICES.values()]


@blueprint.get("/consents")
@blueprint.etag
@blueprint.response(200, ConsentShown(many=True))
def list_consents() -> Any:
    """List all one's own answers, newest first.

    查看我的全部作答。
    """
    return consents.list_consents(world(), account_id=me())


@blueprint.route("/consents/<word:purpose>", methods=["PUT"], endpoint="answer_consent")
@blueprint.arguments(ConsentAnswer)
@blueprint.response(200, ConsentShown)
@blueprint.refuses("consent.text")
def answer_consent(body: dict[str, Any], purpose: str) -> Any:
    """Answer a text: yes or no, to the version that was read.

    对所读版本作答：同意或不同意。
    """
    return consents.answer_consent(world(), account_id=me(), purpose=purpose, **body, channel="api")


@blueprint.delete("/consents/<word:purpose>")
@blueprint.response(200, ConsentShown)
def withdraw_consent(purpose: str) -> Any:
    """Take a consent back; what was finished under it stays.

    撤回同意；已经完成的不受影响。
    """
    return consents.withdraw_consent(world(), account_id=me(), purpose=purpose)
