"""Phones and keys: codes to type, a key on a new phone, and keys that a landlord's phone issues without network."""

from __future__ import annotations

from typing import Any

from backend.services import delegated_keys, delegates, key_codes, rebinding
from mobile_api.api.callers import me, world
from mobile_api.api.contract import Blueprint
from mobile_api.api.schemas.key_phones import (
    ActivationShown,
    CodesAsked,
    CodesShown,
    DelegateAsked,
    DelegatedKey,
    DelegateShown,
    PhoneKey,
    RebindAsked,
)
from mobile_api.api.schemas.keys import KeyShown

blueprint = Blueprint("key_phones", "钥匙与手机", "Keys and phones")


@blueprint.post("/keys/<id:key_id>/codes")
@blueprint.arguments(CodesAsked)
@blueprint.response(201, CodesShown)
@blueprint.refuses("key.not_active", "key.over", "unit.no_lock", "lock.no_keypad", "lock.codes_spent")
def fetch_codes(body: dict[str, Any], key_id: str) -> Any:
    """Fetch the codes to type at the door, to keep offline; shown to the holder alone and stored nowhere.

    获取键盘密码，可离线保存；只给持有人看，不存储。
    """
    return key_codes.fetch_codes(world(), account_id=me(), key_id=key_id, **body)


@blueprint.post("/keys/<id:key_id>/rebinding")
@blueprint.arguments(PhoneKey)
@blueprint.response(201, KeyShown)
@blueprint.refuses("key.identity", "key.phone_key", "key.not_active")
def rebind_key(body: dict[str, Any], key_id: str) -> Any:
    """Bind one's key to this phone after a fresh identity check; the lost phone's key dies. The same again, no change.

    重新核验身份后把钥匙绑定到这部手机；原手机上的钥匙作废。重复提交不产生变化。
    """
    return rebinding.rebind_key(world(), account_id=me(), key_id=key_id, **body)


@blueprint.post("/keys/<id:key_id>/rebinding-requests")
@blueprint.response(201, RebindAsked)
@blueprint.refuses("person.missing", "key.not_active")
def ask_rebind(key_id: str) -> Any:
    """Ask a person to confirm you, where a face check is no way; asked again, the open request is found.

    请工作人员确认身份以便换手机；重复提交返回同一事项。
    """
    return rebinding.ask_rebind(world(), account_id=me(), key_id=key_id)


@blueprint.post("/phone/activations")
@blueprint.arguments(PhoneKey)
@blueprint.response(201, ActivationShown)
@blueprint.refuses("person.missing", "identity.unsettled", "key.phone_key")
def fetch_activation(body: dict[str, Any]) -> Any:
    """Fetch the activation token of one's own phone, for a key that the landlord's phone issues side by side.

    获取本机的身份激活令牌，用于房东离线当面发出的钥匙。
    """
    return delegates.fetch_activation(world(), account_id=me(), **body)


@blueprint.post("/units/<id:unit_id>/delegates")
@blueprint.arguments(DelegateAsked)
@blueprint.response(201, DelegateShown)
@blueprint.refuses(
    "unit.not_yours",
    "landlord.unidentified",
    "right.mandate_over",
    "unit.no_lock",
    "unit.occupied",
    "delegate.days",
    "key.phone_key",
)
@blueprint.creates
def make_delegate(body: dict[str, Any], unit_id: str, idempotency_key: str | None) -> Any:
    """Let one's phone issue keys of a unit without network for some days; refused where others live (HR-12).

    授权本机在几天内离线发这间房的钥匙；有人居住时不可以（HR-12）。
    """
    return delegates.make_delegate(world(), account_id=me(), unit_id=unit_id, **body, idempotency_key=idempotency_key)


@blueprint.get("/units/<id:unit_id>/delegates")
@blueprint.etag
@blueprint.response(200, DelegateShown(many=True))
@blueprint.refuses("unit.not_yours")
def list_delegates(unit_id: str) -> Any:
    """List the phones that may issue keys of a unit without network.

    查看可离线发这间房钥匙的手机。
    """
    return delegates.list_delegates(world(), account_id=me(), unit_id=unit_id)


@blueprint.delete("/delegates/<id:delegate_id>")
@blueprint.response(200, DelegateShown)
def end_delegate(delegate_id: str) -> Any:
    """Take the right to issue keys back; a lock without network honours it until it ends.

    收回离线发钥匙的授权；离线的门锁在到期前仍会承认。
    """
    return delegates.end_delegate(world(), account_id=me(), delegate_id=delegate_id)


@blueprint.post("/leases/<id:lease_id>/delegated-key")
@blueprint.arguments(DelegatedKey)
@blueprint.response(201, KeyShown)
@blueprint.refuses("delegate.chain", "delegate.ended", "key.other_holder", "invitation.not_open", "right.mandate_over")
def adopt_delegated_key(body: dict[str, Any], lease_id: str) -> Any:
    """Take in a key issued without network, as landlord or tenant; told again, no change.

    联网后补报离线发出的钥匙（房东或租客）；重复提交不产生变化。
    """
    return delegated_keys.adopt_delegated_key(world(), account_id=me(), lease_id=lease_id, **body)
