"""Identities out of a seed, and the manifest."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from backend.broker import hash_password
from backend.wire.jwk import jwk_of, private_key_from_pem
from backend.wire.topics import shard_of
from device_sim.__main__ import main
from device_sim.identities import make_identities, make_identity, mosquitto_hash


def test_the_same_seed_makes_the_same_locks_and_another_seed_others() -> None:
    once, again, other = make_identities(5, 7), make_identities(5, 7), make_identities(5, 8)
    assert [each.public_part() for each in once] == [each.public_part() for each in again]
    assert not {each.lock_id for each in once} & {each.lock_id for each in other}
    assert make_identity(7, 3).lock_id == once[2].lock_id


def test_a_claim_code_has_no_letter_that_looks_like_another() -> None:
    codes = [each.claim_code for each in make_identities(300, 7)]
    assert len(set(codes)) == 300
    assert all(re.fullmatch(r"ANJU-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


def test_the_hash_is_mosquittos() -> None:
    salt = bytes(range(12))
    assert mosquitto_hash("secret", salt) == hash_password("secret", salt)


def test_the_manifest_holds_no_secret_and_the_rest_is_for_the_owner_alone(tmp_path: Path) -> None:
    assert main(["manifest", "--locks", "3", "--seed", "7", "--out", str(tmp_path)]) == 0
    manifest = json.loads((tmp_path / "manifest.json").read_text())["locks"]
    stickers = json.loads((tmp_path / "stickers.json").read_text())["stickers"]
    for row, sticker, identity in zip(manifest, stickers, make_identities(3, 7), strict=True):
        assert row["claim_code_hash"] == hashlib.sha256(sticker["claim_code"].encode()).hexdigest()
        assert row["shard"] == shard_of(row["lock_id"]) and row["lock_id"] == identity.lock_id
        private = tmp_path / "locks" / f"{row['lock_id']}.json"
        assert private.stat().st_mode & 0o777 == 0o600
        kept = json.loads(private.read_text())
        assert jwk_of(private_key_from_pem(kept["private_key_pem"].encode()).public_key()) == row["public_key"]
        assert jwk_of(private_key_from_pem(kept["agreement_key_pem"].encode()).public_key()) == row["agreement_key"]
        assert row["agreement_key"] != row["public_key"]
        public = (tmp_path / "manifest.json").read_text()
        assert kept["mqtt_password"] not in public and sticker["claim_code"] not in public


@pytest.mark.parametrize(
    "wrong", [["--locks", "0"], ["--offline", "5", "--locks", "2"], ["manifest"], ["--seed", "-1"], ["fly"]]
)
def test_wrong_options_end_with_usage(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2


def test_without_the_platforms_keys_the_locks_do_not_start_and_say_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANJU_VAR", str(tmp_path))
    assert main(["--locks", "1"]) == 1
    assert "platform.jwks.json" in capsys.readouterr().err
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "platform.jwks.json").write_text('{"keys": []}')
    (tmp_path / "keys" / "keypad.jwk.json").write_text('{"kty": "EC"}')
    assert main(["--locks", "1"]) == 1
    assert "not a public P-256 JWK" in capsys.readouterr().err
    monkeypatch.setenv("ANJU_SIM_PORT", "x")
    assert main(["--locks", "1"]) == 1
    assert "ANJU_SIM_PORT" in capsys.readouterr().err
