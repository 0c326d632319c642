"""Keys issued side by side without network: the chain of signatures, taken in later, and what a delegate exposes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from sqlalchemy import select

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.gateways.clock import FixedClock
from backend.gateways.world import World
from backend.models.keys import Key, KeyDelegate
from backend.models.registrations import Registration
from backend.services import key_lists
from backend.services.delegated_keys import adopt_delegated_key
from backend.services.delegates import DelegateView, end_delegate, fetch_activation, list_delegates, make_delegate
from backend.services.inbox import list_notices
from backend.services.invitations import accept_invitation, invite_tenant
from backend.services.key_changes import adopt_epoch
from backend.services.keys import get_key, revoke_key
from backend.services.leases import end_lease
from backend.services.persons import enter_identity
from backend.services.registrations import check_out, declare
from backend.services.tenancies import KeyCard
from backend.wire.jwk import jwk_of, make_private_key, thumbprint
from backend.wire.lock_documents import Activation, Credential, Delegate, HolderKey, claims_of, document_from
from backend.wire.tokens import sign, verify
from tests.services import stories
from tests.services.stories import Story

pytestmark = pytest.mark.usefixtures("core")


@dataclass
class Side:
    """Landlord and tenant side by side: both phones' private keys, and what the platform gave the landlord's."""

    landlords: EllipticCurvePrivateKey
    tenants: EllipticCurvePrivateKey
    made: DelegateView

    @property
    def tenant_jwk(self) -> dict[str, str]:
        """The public half of the tenant's phone key."""
        return jwk_of(self.tenants.public_key())


def delegate_for(world: World, story: Story, **changes: Any) -> Side:
    landlords = make_private_key()
    made = make_delegate(world, account_id=story.landlord, unit_id=story.unit_id,
                         phone_jwk=jwk_of(landlords.public_key()), **changes)  # fmt: skip
    return Side(landlords, make_private_key(), made)


def issue(world: World, side: Side, key_id: str, signer: EllipticCurvePrivateKey | None = None, **changes: Any) -> str:
    """What the landlord's phone signs, as device_sim's phone does."""
    now, signer = int(world.clock.now().timestamp()), signer or side.landlords
    document = Credential(iss=side.made.id, sub=key_id, aud=side.made.lock_id, nbf=now, exp=now + 86_400, iat=now,
                          jti=new_id(), cnf=HolderKey(side.tenant_jwk), rights=("unlock", "lock"),
                          occ=side.made.epoch, cond=("idv",), crit=("cond", "occ", "cnf", "rights"))  # fmt: skip
    return sign("ekey", claims_of(replace(document, **changes)), signer, thumbprint(signer.public_key()))


def adopt(world: World, account: str, story: Story, side: Side, credential: str) -> KeyCard:
    return adopt_delegated_key(
        world, account_id=account, lease_id=story.lease_id, credential=credential, delegate=side.made.token or ""
    )


@pytest.fixture
def story(world: World) -> Story:
    """A lease recorded, the tenant invited, nobody there yet."""
    story = stories.make_invited(world)
    story.tenant = stories.make_account(world, stories.TENANT_PHONE)
    return story


def test_a_delegate_names_one_lock_one_phone_one_epoch_and_three_days(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    claims = verify("delegate", side.made.token or "", world.tokens.public_keys(), audience=story.identity.lock_id)
    document = document_from(Delegate, claims)
    assert (document.jti, document.sub, document.occ) == (side.made.id, side.made.id, 1)
    assert document.cnf.jwk == jwk_of(side.landlords.public_key())
    assert document.exp - document.nbf == 3 * 86_400
    with pytest.raises(Refused, match="delegate.days"):
        delegate_for(world, story, days=4)
    listed = list_delegates(world, account_id=story.landlord, unit_id=story.unit_id)
    assert [each.id for each in listed] == [side.made.id]


def test_only_the_landlord_of_a_unit_with_a_lock_gets_one(world: World, story: Story) -> None:
    with pytest.raises(Refused, match="unit.not_yours"):
        make_delegate(world, account_id=story.tenant, unit_id=story.unit_id,
                      phone_jwk=jwk_of(make_private_key().public_key()))  # fmt: skip
    with pytest.raises(Refused, match="key.phone_key"):
        make_delegate(world, account_id=story.landlord, unit_id=story.unit_id, phone_jwk={"kty": "oct"})


def test_the_same_request_twice_is_one_delegate(world: World, story: Story) -> None:
    jwk = jwk_of(make_private_key().public_key())
    values: dict[str, Any] = {"account_id": story.landlord, "unit_id": story.unit_id, "phone_jwk": jwk}
    first = make_delegate(world, **values, idempotency_key="delegate-1")
    again = make_delegate(world, **values, idempotency_key="delegate-1")
    assert again.id == first.id and again.token is not None
    assert len(db.session.scalars(select(KeyDelegate)).all()) == 1


def test_a_delegate_of_an_ended_tenancy_issues_for_the_next_epoch(world: World) -> None:
    story = stories.make_active(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    assert delegate_for(world, story).made.epoch == 2


def test_joint_and_bed_units_take_another_person_and_their_occupants_are_told(world: World) -> None:
    story = stories.make_active(world, kind="bed")
    side = delegate_for(world, story)
    assert side.made.epoch == 1
    assert "delegate_made" in [notice.kind for notice in list_notices(world, account_id=story.tenant)]


@pytest.mark.parametrize("known", [True, False])
def test_the_tenant_takes_the_key_in_under_the_id_the_lock_knows(world: World, story: Story, known: bool) -> None:
    side = delegate_for(world, story)
    key_id = story.key_id if known else new_id()
    credential = issue(world, side, key_id)
    card = adopt(world, story.tenant, story, side, credential)
    assert (card.id, card.state, card.phone_thumbprint) == (key_id, "claimed", thumbprint(side.tenants.public_key()))
    key = stories.key_row(key_id)
    assert (key.holder_account_id, key.delegate_id) == (story.tenant, side.made.id)
    assert key.credential_ends_at == world.clock.now() + timedelta(days=1)
    assert stories.key_row(story.key_id).state == ("claimed" if known else "revoked")
    assert db.session.get_one(Registration, story.registration_id).tenant_leg == "draft"
    assert adopt(world, story.tenant, story, side, credential) == card, "told again, no change"
    assert adopt(world, story.landlord, story, side, credential) == card


def test_the_key_becomes_active_like_any_other_and_the_epoch_is_the_delegates(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    card = adopt(world, story.tenant, story, side, issue(world, side, new_id()))
    stories.read_notice(world, story.tenant)
    enter_identity(world, account_id=story.tenant, id_type="111", id_number=stories.TENANT_NUMBER, name="周来福")
    declare(world, account_id=story.tenant, registration_id=story.registration_id, move_in_on=world.clock.today(),
            hukou_division="341822")  # fmt: skip
    stories.verify_at_window(world, story.tenant)
    key = stories.key_row(card.id)
    assert (key.state, key.epoch, stories.lock_row(side.made.lock_id).epoch) == ("active", 1, 1)


def test_what_the_landlord_tells_first_the_tenant_accepts_with_the_same_phone_alone(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    card = adopt(world, story.landlord, story, side, issue(world, side, new_id()))
    key = stories.key_row(card.id)
    assert (key.state, key.holder_account_id) == ("claimed", None)
    stranger = jwk_of(make_private_key().public_key())
    with pytest.raises(Refused, match="key.other_holder"):
        accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=stranger)
    taken = accept_invitation(world, account_id=story.tenant, token=story.link_token, phone_jwk=side.tenant_jwk)
    assert taken.key_id == card.id
    assert stories.key_row(card.id).holder_account_id == story.tenant


def test_a_handover_issued_without_network_has_one_epoch(world: World) -> None:
    story = stories.make_active(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    side, lease = _next_lease(world, story)
    card = adopt(world, story.landlord, lease, side, issue(world, side, new_id()))
    assert (card.epoch, stories.lock_row(side.made.lock_id).epoch) == (2, 2)


def test_a_handover_the_lock_reports_first_is_not_counted_twice(world: World) -> None:
    story = stories.make_active(world)
    check_out(world, account_id=story.tenant, registration_id=story.registration_id,
              moved_out_on=world.clock.today(), reason="lease_end")  # fmt: skip
    side, lease = _next_lease(world, story)
    with transaction() as session:
        assert adopt_epoch(world, session, session.get_one(stories.Lock, side.made.lock_id), 2)
    card = adopt(world, story.landlord, lease, side, issue(world, side, new_id()))
    assert (card.epoch, stories.lock_row(side.made.lock_id).epoch) == (2, 2)


def _next_lease(world: World, story: Story) -> tuple[Side, Story]:
    side = delegate_for(world, story)
    values: dict[str, Any] = {"kind": "room", "starts_on": world.clock.today(), "ends_on": None, "alias": "小吴",
                              "tenant_name": "吴友", "tenant_id_type": "111",
                              "tenant_id_number": stories.CO_TENANT_NUMBER,
                              "tenant_phone": stories.CO_TENANT_PHONE}  # fmt: skip
    made = stories.record_lease(world, account_id=story.landlord, unit_id=story.unit_id, **values)
    return side, replace(story, lease_id=made.lease_id, key_id=made.key_id or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01"},
        {"aud": "another-lock"},
        {"occ": 9},
        {"cond": None},
        {"rights": ("unlock", "passage")},
        {"exp": 2_000_000_000},
        {"nbf": 1},
        {"sub": "not-an-id"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_credential_beyond_its_delegate_is_not_taken_in(world: World, story: Story, changes: dict[str, Any]) -> None:
    side = delegate_for(world, story)
    with pytest.raises(Refused, match="delegate.chain"):
        adopt(world, story.tenant, story, side, issue(world, side, **{"key_id": story.key_id, **changes}))
    assert stories.key_row(story.key_id).state == "invited"


def test_a_chain_signed_by_anybody_else_is_not_taken_in(world: World, story: Story) -> None:
    side, stranger = delegate_for(world, story), make_private_key()
    with pytest.raises(Refused, match="delegate.chain"):
        adopt(world, story.tenant, story, side, issue(world, side, story.key_id, signer=stranger))
    forged = Delegate(iss="anju", sub=side.made.id, aud=side.made.lock_id, nbf=0, exp=2_000_000_000, iat=0,
                      jti=side.made.id, cnf=HolderKey(jwk_of(stranger.public_key())), occ=1)  # fmt: skip
    token = sign("delegate", claims_of(forged), stranger, world.tokens.kid)
    own = replace(side, made=replace(side.made, token=token), landlords=stranger)
    with pytest.raises(Refused, match="delegate.chain"):
        adopt(world, story.tenant, story, own, issue(world, own, story.key_id))
    with pytest.raises(Refused, match="delegate.chain"):
        adopt(world, story.tenant, story, side, "garbage")


def test_a_key_known_otherwise_is_a_conflict(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    accept_invitation(world, account_id=story.tenant, token=story.link_token,
                      phone_jwk=jwk_of(make_private_key().public_key()))  # fmt: skip
    for key_id in (story.key_id, new_id()):
        with pytest.raises(Refused, match="key.other_holder"):
            adopt(world, story.tenant, story, side, issue(world, side, key_id))


def test_a_delegate_taken_back_is_on_the_locks_list_and_takes_nothing_in(
    world: World, story: Story, clock: FixedClock
) -> None:
    side = delegate_for(world, story)
    before = stories.lock_row(side.made.lock_id).list_version
    ended = end_delegate(world, account_id=story.landlord, delegate_id=side.made.id)
    assert ended.ended_at == world.clock.now()
    assert end_delegate(world, account_id=story.landlord, delegate_id=side.made.id) == ended
    lock = stories.lock_row(side.made.lock_id)
    assert lock.list_version == before + 1
    assert side.made.id in key_lists.key_list(world, db.session(), lock).rev
    with pytest.raises(Refused, match="delegate.ended"):
        adopt(world, story.tenant, story, side, issue(world, side, story.key_id))
    with pytest.raises(Refused, match="not_found"):
        end_delegate(world, account_id=story.tenant, delegate_id=side.made.id)
    clock.move(timedelta(days=9))
    same = key_lists.key_list(world, db.session(), stories.lock_row(side.made.lock_id))
    assert side.made.id in same.rev, "a list never changes by the passing of time"


def test_an_unexpired_delegate_extends_the_exposure_made_before_or_after(world: World, clock: FixedClock) -> None:
    story = stories.make_active(world, kind="bed")
    delegate_for(world, story, days=2)
    card = revoke_key(world, account_id=story.tenant, key_id=story.key_id)
    assert card.doors[0].exposure_until == world.clock.now() + timedelta(days=2, minutes=5)
    clock.move(timedelta(hours=1))
    delegate_for(world, story, days=3)
    seen = get_key(world, account_id=story.tenant, key_id=story.key_id)
    assert seen.doors[0].exposure_until == world.clock.now() + timedelta(days=3, minutes=5)


def test_a_delegated_key_ended_before_it_became_active_is_revoked_at_its_door(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    card = adopt(world, story.landlord, story, side, issue(world, side, new_id()))
    end_lease(world, account_id=story.landlord, lease_id=story.lease_id, ended_on=world.clock.today())
    assert stories.key_row(card.id).state == "revoking"
    lock = stories.lock_row(side.made.lock_id)
    assert card.id in key_lists.key_list(world, db.session(), lock).rev


def test_a_stranger_takes_in_nothing(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    stranger = stories.make_account(world, "+8619900009999")
    with pytest.raises(Refused, match="not_found"):
        adopt(world, stranger, story, side, issue(world, side, story.key_id))


def test_another_units_delegate_is_none_of_this_lease(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    with transaction() as session:
        session.get_one(KeyDelegate, side.made.id).account_id = story.tenant
    with pytest.raises(Refused, match="delegate.chain"):
        adopt(world, story.tenant, story, side, issue(world, side, story.key_id))


def test_the_activation_is_for_an_identified_accounts_own_phone_key(world: World) -> None:
    story = stories.make_identified(world)
    jwk = jwk_of(make_private_key().public_key())
    with pytest.raises(Refused, match="person.missing"):
        fetch_activation(world, account_id=stories.make_account(world, "+8619900009999"), phone_jwk=jwk)
    with pytest.raises(Refused, match="identity.unsettled"):
        fetch_activation(world, account_id=story.tenant, phone_jwk=jwk)
    stories.verify_at_window(world, story.tenant)
    view = fetch_activation(world, account_id=story.tenant, phone_jwk=jwk)
    assert view.expires_at == world.clock.now() + timedelta(days=7)
    token = document_from(Activation, verify("activation", view.activation, world.tokens.public_keys()))
    assert (token.cnf.jwk, token.lvl) == (jwk, "verified")


def test_a_new_invitation_after_the_landlord_told_is_not_needed(world: World, story: Story) -> None:
    side = delegate_for(world, story)
    credential = issue(world, side, new_id())
    adopt(world, story.landlord, story, side, credential)
    with pytest.raises(Refused, match="invitation.not_open"):
        invite_tenant(world, account_id=story.landlord, lease_id=story.lease_id)
    card = adopt(world, story.tenant, story, side, credential)
    assert stories.key_row(card.id).holder_account_id == story.tenant
    assert len(db.session.scalars(select(Key).where(Key.state == "claimed")).all()) == 1
