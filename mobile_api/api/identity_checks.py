"""The identity check and its equal other ways."""

from __future__ import annotations

from typing import Any

from backend.domain.refusals import Refused
from backend.services import identity_checks, identity_reviews
from backend.services.identity_checks import Frame
from mobile_api.api.callers import me, my_session, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.identity_checks import (
    CaseShown,
    ChallengeAsked,
    ChallengeShown,
    CheckUpload,
    DocumentLook,
    DocumentUpload,
    IdentityProgress,
    OutcomeShown,
    WayChosen,
)

blueprint = Blueprint("identity", "身份核验", "Identity check")

CHECKABLE = ("person.missing", "consent.missing", "consent.under_14")


@blueprint.get("/identity")
@blueprint.etag
@blueprint.response(200, IdentityProgress)
def get_progress() -> Any:
    """Show where one's identity stands.

    查看身份核验进展。
    """
    return identity_checks.identity_progress(world(), account_id=me())


@blueprint.post("/identity/document-checks")
@blueprint.arguments(DocumentUpload, location="multipart")
@blueprint.response(200, DocumentLook)
@blueprint.refuses(*CHECKABLE, "face.tries", "rate", "face.busy", "face.unavailable")
def look_at_document(body: dict[str, Any]) -> Any:
    """Judge the document's picture before the burst: no try, nothing kept; when refused for now, go on to the check.

    自拍之前先看证件照片能不能用：不计次数，不留任何内容；暂时看不了就继续，核验时会一起看。
    """
    return identity_checks.look_at_document(world(), account_id=me(), **body)


@blueprint.post("/identity/challenges")
@blueprint.arguments(ChallengeAsked)
@blueprint.response(201, ChallengeShown)
@blueprint.refuses(*CHECKABLE, "face.tries")
def start_challenge(body: dict[str, Any]) -> Any:
    """Ask for the actions to film: bound to session, person and document picture, 60 seconds, good once.

    获取动作提示：绑定会话、本人和证件照片，60 秒内有效，只能用一次。
    """
    return identity_checks.start_challenge(world(), account_id=me(), session_id=my_session(), **body)


@blueprint.post("/identity/checks")
@blueprint.arguments(CheckUpload, location="multipart")
@blueprint.response(201, OutcomeShown)
@blueprint.refuses(
    *CHECKABLE,
    "challenge.expired",
    "challenge.used",
    "challenge.other",
    "frames.count",
    "face.busy",
    "face.unavailable",
)
def check_face(body: dict[str, Any]) -> Any:
    """Compare the document's portrait with the burst, one to one, in memory; no picture is kept.

    一对一比对证件照和连续自拍，全程在内存中，不留照片。
    """
    times = body.pop("times")
    if len(times) != len(body["frames"]):
        raise Refused("input.wrong_type", "times", expected=f"{len(body['frames'])} × ms")
    frames = [Frame(jpeg, at) for jpeg, at in zip(body.pop("frames"), times, strict=True)]
    return identity_checks.check_face(world(), account_id=me(), session_id=my_session(), frames=frames, **body)


@blueprint.post("/identity/cases")
@blueprint.arguments(WayChosen)
@blueprint.response(201, CaseShown)
@blueprint.refuses("person.missing")
def ask_a_person(body: dict[str, Any]) -> Any:
    """Choose an equal other way: in person at a window, or live video; a second request finds the first one's case.

    选择同等效力的其他方式：窗口当面或视频；重复申请不重复立项。
    """
    return identity_reviews.ask_a_person(world(), account_id=me(), way=body["way"])
