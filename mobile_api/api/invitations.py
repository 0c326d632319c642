"""The tenant answers an invitation. Its token travels in the body, so that no log of addresses holds it."""

from __future__ import annotations

from typing import Any

from backend.services import invitations
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.leases import Acceptance, Accepted, InvitationFace, InvitationToken, PendingInvitation

blueprint = Blueprint("invitations", "邀请", "Invitations")

REFUSALS = ("invitation.unknown", "invitation.used", "invitation.expired", "invitation.cancelled")


@blueprint.get("/invitations")
@blueprint.etag
@blueprint.response(200, PendingInvitation(many=True))
def list_mine() -> Any:
    """Open invitations to one's own phone, newest first: for who has lost the link.

    发给本人手机号、还没有接受的邀请；没有链接也能找到。
    """
    return invitations.list_my_invitations(world(), account_id=me())


@blueprint.post("/invitations/look")
@blueprint.arguments(InvitationToken)
@blueprint.response(200, InvitationFace)
@blueprint.refuses(*REFUSALS)
def look(body: dict[str, Any]) -> Any:
    """See what an invitation is for, before signing in; nothing personal.

    登录前查看邀请内容；不含个人信息。
    """
    return invitations.look_at_invitation(world(), token=body["token"])


@blueprint.post("/invitations/accept")
@blueprint.arguments(Acceptance)
@blueprint.response(201, Accepted)
@blueprint.refuses(*REFUSALS, "invitation.other_phone", "key.phone_key", "key.other_holder")
def accept(body: dict[str, Any]) -> Any:
    """Accept with the invited phone and bind the key to its own P-256 key; the same again changes nothing.

    用受邀手机接受邀请，钥匙绑定到本机密钥；重复提交不产生变化。
    """
    return invitations.accept_invitation(world(), account_id=me(), **body)
