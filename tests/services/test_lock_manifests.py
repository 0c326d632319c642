"""Manifests: checked whole, each fault named by row and field, and nothing imported while one is left."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from backend.db import db
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.models.locks import Lock
from backend.services.lock_manifests import MOST_FAULTS, check_locks, import_locks, list_broker_accounts, rows_of
from backend.wire.jwk import jwk_of, make_private_key
from device_sim.identities import make_identity

KEYPAD = jwk_of(make_private_key().public_key())


def make_row(number: int = 1, **changes: Any) -> dict[str, Any]:
    row = {**make_identity(7, number).public_part(), "agreement_key": KEYPAD, **changes}
    return {member: value for member, value in row.items() if value != "LEFT OUT"}


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Lock)) or 0


def faults(world: World, *rows: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(Refused) as checked:
        check_locks(rows)
    with pytest.raises(Refused) as caught:
        import_locks(world, rows)
    assert checked.value.refusals == caught.value.refusals, "checking says what importing would"
    for refusal in caught.value.refusals:
        for language in ("zh", "en"):
            assert "…" not in refusal.sentence(language) + refusal.remedy(language)
    return [(refusal.code, refusal.field) for refusal in caught.value.refusals]


def test_a_lock_comes_in_with_its_agreement_key_and_without_one_it_has_no_keypad(core: Any, world: World) -> None:
    rows = [make_row(1), make_row(2, agreement_key="LEFT OUT"), make_row(3, agreement_key=None)]
    assert check_locks(rows) == 3 and count() == 0
    assert import_locks(world, rows) == 3
    keys = db.session.scalars(select(Lock.agreement_key).order_by(Lock.serial)).all()
    assert keys == [KEYPAD, None, None]
    assert len(list_broker_accounts()) == 3


def test_importing_again_changes_nothing_but_adds_an_agreement_key_that_was_missing(core: Any, world: World) -> None:
    import_locks(world, [make_row(1, agreement_key="LEFT OUT"), make_row(2)])
    assert check_locks([make_row(1), make_row(2), make_row(3)]) == 1
    assert import_locks(world, [make_row(1), make_row(2), make_row(3)]) == 1
    assert db.session.scalars(select(Lock.agreement_key)).all() == [KEYPAD] * 3
    assert import_locks(world, [make_row(1)]) == 0


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("lock_id", "LEFT OUT"),
        ("lock_id", "a/b"),
        ("lock_id", "+"),
        ("lock_id", 7),
        ("serial", ""),
        ("serial", "S 1"),
        ("serial", "S" * 41),
        ("model", "LEFT OUT"),
        ("model", "x" * 121),
        ("public_key", "LEFT OUT"),
        ("public_key", {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        ("public_key", {**jwk_of(make_private_key().public_key()), "d": "AA"}),
        ("agreement_key", "x"),
        ("agreement_key", {"kty": "oct"}),
        ("claim_code_hash", "ANJU-0000-0000"),
        ("claim_code_hash", "A" * 64),
        ("mqtt_password_hash", "secret"),
        ("mqtt_password_hash", "$7$101$a:b$c"),
        ("shard", 16),
    ],
)
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_bad_member_is_named_with_its_row_and_nothing_is_imported(
    core: Any, world: World, member: str, value: Any
) -> None:
    assert faults(world, make_row(1), make_row(2, **{member: value})) == [("manifest.field", f"locks/1/{member}")]
    assert count() == 0


def test_the_sentence_tells_the_row_its_serial_what_it_must_be_and_what_to_do(core: Any, world: World) -> None:
    with pytest.raises(Refused) as caught:
        import_locks(world, [make_row(1), make_row(2, claim_code_hash="x")])
    said = caught.value.refusal.sentence("en") + " " + caught.value.refusal.remedy("en")
    assert said == (
        "Row 2 (S1-0007-000002): it must be the SHA-256 of the claim code, 64 lower-case hexadecimal digits. "
        "Correct it and import again; nothing was imported."
    )


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_all_faults_are_told_at_once_up_to_a_sensible_number(core: Any, world: World) -> None:
    assert faults(world, "x", make_row(1, serial=7, model=None)) == [
        ("manifest.field", "locks/0"),
        ("manifest.field", "locks/1/serial"),
        ("manifest.field", "locks/1/model"),
    ]
    assert len(faults(world, *["x"] * 200)) == MOST_FAULTS


@pytest.mark.parametrize("member", ["claim_code", "mqtt_password", "private_key_pem", "agreement_key_pem"])
@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_a_secret_in_a_manifest_is_refused_and_not_repeated(core: Any, world: World, member: str) -> None:
    assert faults(world, make_row(1, **{member: "hush"})) == [("manifest.secret", f"locks/0/{member}")]
    with pytest.raises(Refused) as caught:
        import_locks(world, [make_row(1, **{member: "hush"})])
    assert "hush" not in caught.value.refusal.sentence("en")


@pytest.mark.parametrize("member", ["lock_id", "serial", "claim_code_hash", "public_key"])
def test_what_two_rows_say_of_two_locks_is_refused(core: Any, world: World, member: str) -> None:
    other = make_row(2, **{member: make_row(1)[member]}, **({"shard": "LEFT OUT"} if member == "lock_id" else {}))
    assert ("manifest.twice", f"locks/1/{member}") in faults(world, make_row(1), other)


@pytest.mark.parametrize("member", ["serial", "claim_code_hash", "public_key", "agreement_key"])
def test_what_contradicts_a_known_lock_is_refused(core: Any, world: World, member: str) -> None:
    import_locks(world, [make_row(1)])
    other = {**make_row(2), "agreement_key": jwk_of(make_private_key().public_key())}
    changed = make_row(1, **{member: other[member]})
    assert faults(world, changed) == [("manifest.other_lock", f"locks/0/{member}")]


@pytest.mark.parametrize("member", ["serial", "claim_code_hash"])
def test_what_belongs_to_a_known_lock_cannot_be_anothers(core: Any, world: World, member: str) -> None:
    import_locks(world, [make_row(1)])
    thief = make_row(2, **{member: make_row(1)[member]})
    assert faults(world, thief) == [("manifest.other_lock", f"locks/0/{member}")]


@pytest.mark.parametrize("manifest", [None, [], {}, {"locks": {}}, {"locks": []}, "locks"])
def test_what_is_no_manifest_is_refused(manifest: Any) -> None:
    with pytest.raises(Refused, match="manifest.unreadable") as caught:
        rows_of(manifest)
    assert '{"locks": [ … ]}' in caught.value.refusal.sentence("en")
