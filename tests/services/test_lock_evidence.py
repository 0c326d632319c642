"""Evidence: exported for a stated ground, told to everybody in it, and verified with nothing but the file."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from backend.db import db, transaction
from backend.domain.ids import new_id
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.audit import AuditLeaf
from backend.models.keys import Key
from backend.models.lock_events import LockCheckpoint, LockEvent
from backend.services import lock_reports
from backend.services.access_records import my_access_records
from backend.services.lock_evidence import Exported, export_events
from backend.services.lock_logs import record_events
from backend.wire.evidence import Proof, verify_evidence
from backend.wire.jwk import base64url, thumbprint
from backend.wire.lock_messages import EventBatch
from tests.services import stories
from tests.services.reports import head_after, make_batch, make_birth, make_texts
from tests.services.stories import TENANT_NUMBER, TENANT_PHONE, Story

BACKEND = Path(__file__).resolve().parents[2] / "backend"
DOOR = ("door.opened", {})
CASE = "AJ-20261123-0007"


@pytest.fixture
def story(core: Any, world: World) -> Story:
    """A tenant with an active key whose lock has told four events and signed the third."""
    story = stories.make_active(world)
    lock_reports.record_birth(world, story.identity.lock_id, make_birth(story.identity.lock_id))
    opened = ("lock.unlocked", {"key": story.key_id, "via": "near"})
    take(world, story, make_batch(story.identity, [opened, DOOR, ("door.closed", {})], signed=True))
    take(world, story, make_batch(story.identity, [DOOR], after=texts(story)))
    return story


def take(world: World, story: Story, batch: EventBatch) -> None:
    record_events(world, [(story.identity.lock_id, batch)])


def texts(story: Story) -> list[str]:
    db.session.rollback()
    lock_id = story.identity.lock_id
    return list(db.session.scalars(select(LockEvent.text).where(LockEvent.lock_id == lock_id).order_by(LockEvent.seq)))


def export(world: World, story: Story, ground: str = "tenant_request", case: str = CASE, **span: Any) -> Exported:
    return export_events(world, lock=story.identity.serial, ground=ground, case=case, **span)


def proof_of(world: World, made: Exported) -> Proof:
    return verify_evidence(made.content, world.tokens.public_keys())


def leaves() -> Sequence[AuditLeaf]:
    db.session.rollback()
    return db.session.scalars(select(AuditLeaf).where(AuditLeaf.action == "door_events_exported")).all()


def code_of(world: World, story: Story, **values: Any) -> str:
    with pytest.raises(Refused) as caught:
        export(world, story, **values)
    refusal = caught.value.refusal
    assert "…" not in refusal.sentence("en") + refusal.sentence("zh") + refusal.remedy("en") + refusal.remedy("zh")
    assert leaves() == [], "nothing was told, so nothing is written"
    return refusal.code


def forget(story: Story, up_to: int) -> None:
    """Retention has taken the events up to here."""
    with transaction() as session:
        gone = (LockEvent.lock_id == story.identity.lock_id) & (LockEvent.seq <= up_to)
        session.execute(delete(LockEvent).where(gone))


def test_the_export_proves_the_events_and_how_far_the_lock_has_signed(world: World, story: Story) -> None:
    made = export(world, story)
    proof = proof_of(world, made)
    assert (made.first, made.last, made.checked, made.told) == (1, 4, 3, 1)
    assert (proof.lock_id, proof.first, proof.last, proof.signed) == (story.identity.lock_id, 1, 4, ((1, 3),))
    assert (proof.ground, proof.case) == ("tenant_request", CASE)
    assert proof.lock_key == thumbprint(story.identity.private_key.public_key())


def test_the_file_holds_key_ids_and_nothing_of_a_person(world: World, story: Story) -> None:
    content = export(world, story).content.decode()
    assert story.key_id in content
    for secret in ("周来福", "沈安一", TENANT_NUMBER, TENANT_PHONE, TENANT_PHONE[3:], story.unit_id, "小周"):
        assert secret not in content


def test_whoever_has_a_key_in_it_reads_ground_and_case_on_the_page_of_who_has_seen_their_data(
    world: World, story: Story
) -> None:
    export(world, story, ground="court_order", case="（2026）浙0522民初123号")
    look = my_access_records(world, account_id=story.tenant).items[0]
    assert (look.actor, look.action, look.fields) == ("operator", "door_events_exported", ("door_events",))
    assert (look.purpose, look.case_ref) == ("court_order", "（2026）浙0522民初123号")
    assert [item.action for item in my_access_records(world, account_id=story.landlord).items] == []


def test_an_export_without_any_key_in_it_leaves_a_leaf_all_the_same(world: World, story: Story) -> None:
    made = export(world, story, first=2)
    assert made.told == 0
    assert [(leaf.subject_id, leaf.object_id) for leaf in leaves()] == [(None, story.identity.lock_id)]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"ground": "landlord_request"}, "input.not_one_of"),
        ({"case": " "}, "purpose.case"),
        ({"case": "?"}, "purpose.case_form"),
        ({"first": 5}, "evidence.range"),
        ({"first": 3, "last": 2}, "evidence.range"),
        ({"last": 0}, "evidence.range"),
    ],
)
def test_without_ground_case_or_events_nothing_is_exported(
    world: World, story: Story, values: dict[str, Any], code: str
) -> None:
    assert code_of(world, story, **values) == code


def test_a_lock_nobody_knows_is_refused(world: World, story: Story) -> None:
    with pytest.raises(Refused, match=r"lock\.unknown"):
        export_events(world, lock="S9", ground="court_order", case=CASE)


def test_a_tenants_request_never_shows_the_openings_of_others(world: World, story: Story) -> None:
    with transaction() as session:
        other = Key(
            id=new_id(), kind="visitor", purpose="cleaning", unit_id=story.unit_id, state="active",
            starts_on=world.clock.today(), created_at=world.clock.now(),
        )  # fmt: skip
        session.add(other)
        other_id = other.id
    opened = ("lock.unlocked", {"key": other_id, "via": "near"})
    take(world, story, make_batch(story.identity, [opened], after=texts(story)))
    assert code_of(world, story) == "evidence.others"
    assert export(world, story, last=4).last == 4, "as far as it is the tenant's own"
    made = export(world, story, ground="court_order")
    assert (made.last, made.told) == (5, 1), "a visitor who is no registered person has no such page"


def test_a_part_begins_at_the_hash_before_it(world: World, story: Story) -> None:
    made = export(world, story, first=2, last=3)
    assert (made.first, made.last) == (2, 3)
    assert proof_of(world, made).signed == ((2, 3),)


def test_when_retention_has_taken_the_event_before_the_oldest_kept_becomes_the_anchor(
    world: World, story: Story
) -> None:
    forget(story, 1)
    made = export(world, story)
    assert (made.first, made.last) == (3, 4)
    assert proof_of(world, made).signed == ((3, 3),)


def test_what_the_lock_has_signed_is_an_anchor_without_its_event(world: World, story: Story) -> None:
    forget(story, 3)
    made = export(world, story)
    assert (made.first, made.last, proof_of(world, made).signed) == (4, 4, ())
    db.session.execute(delete(LockCheckpoint))
    db.session.commit()
    with pytest.raises(Refused, match=r"evidence\.range"):
        export(world, story)


def test_a_gap_names_what_is_missing_and_how_to_export_around_it(world: World, story: Story) -> None:
    whole = [*texts(story), *make_texts([DOOR, DOOR], 5)]
    lock_id = story.identity.lock_id
    beyond = EventBatch(6, base64url(head_after(lock_id, whole[:5])), tuple(whole[5:]), (), False)
    take(world, story, beyond)
    take(world, story, make_batch(story.identity, [DOOR], after=whole))
    with pytest.raises(Refused) as caught:
        export(world, story)
    assert caught.value.refusal.sentence("en") == "Events 5 to 5 are missing: the chain is broken there."
    assert caught.value.refusal.remedy("en") == "Export twice: `--to 4`, then `--from 6`."
    assert export(world, story, last=4).last == 4
    assert export(world, story, first=6).first == 7


def test_nothing_but_the_operators_shell_leads_to_the_export() -> None:
    users = set()
    for room in (BACKEND, BACKEND.parent / "mobile_api", BACKEND.parent / "device_sim"):
        for path in room.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
                module = getattr(node, "module", "") or ""
                if "lock_evidence" in names or any("lock_evidence" in part for part in (module, *names)):
                    users.add(path.relative_to(BACKEND.parent).as_posix())
    assert users == {"backend/locks_cli.py"}
