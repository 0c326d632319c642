"""The operator's commands about locks: in use, replaced, retired; and the evidence of their events.

    lock add | list | show | replace | retire | anomalies | acknowledge | export-events | verify-events
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.bootstrap import check_revision, core_app, world_of
from backend.broker import write_broker_files
from backend.config import Settings
from backend.db import db
from backend.domain.purposes import EVIDENCE_GROUNDS
from backend.domain.refusals import Refused
from backend.gateways.world import World
from backend.queries import locks as questions
from backend.services import lock_evidence, lock_lives, lock_manifests
from backend.wire.evidence import Proof, verify_evidence
from backend.wire.evidence_lines import EvidenceDamaged
from backend.wire.jwk import PublicKeys, keys_from_jwks

LARGEST_FILE_BYTES = 256_000_000
WAIT_SECONDS = 15.0  # for the last word of a lock that is online


def add_lock_commands(subparsers: Any) -> None:
    """Add the noun `lock` to the operator's grammar."""
    locks = subparsers.add_parser("lock", help="locks, and evidence of their events")
    verbs = locks.add_subparsers(metavar="VERB", required=True)
    adding = _add(verbs, "add", "import the locks of a manifest, all of them or none", _import)
    adding.add_argument("manifest", type=Path)
    adding.add_argument("--check", action="store_true", help="only say what is wrong with it")
    listing = _add(verbs, "list", "all locks not yet retired", _list)
    listing.add_argument("--offline", action="store_true", help="only those that cannot be reached")
    listing.add_argument("--alarm", action="store_true", help="only those with an alarm")
    listing.add_argument("--unclaimed", action="store_true", help="only those that belong to no unit")
    listing.add_argument("--json", action="store_true", help="for machines")
    _with_lock(_add(verbs, "show", "everything an operator may know of one lock", _show))
    replacing = _add(verbs, "replace", "put a new lock in an old one's place; keys and tenancy go over", _replace)
    replacing.add_argument("old", metavar="OLD", help="serial or id of the lock that goes")
    replacing.add_argument("new", metavar="NEW", help="serial or id of a lock that belongs to no unit")
    retiring = _with_lock(_add(verbs, "retire", "take a lock out of use: wiped, its event chain closed", _retire))
    for parser in (replacing, retiring):
        parser.add_argument("--reason", choices=lock_lives.REASONS, help="kept with the lock")
        parser.add_argument("--now", action="store_true", help="do not wait for its own word (stolen, broken)")
        parser.add_argument("--yes", action="store_true", help="do not ask")
    anomalies = _add(verbs, "anomalies", "messages of locks that were not accepted", _anomalies)
    anomalies.add_argument("lock", metavar="LOCK", nargs="?", help="serial or id; without it, of all locks")
    _with_lock(_add(verbs, "acknowledge", "take down a lock's alarm after somebody has looked", _acknowledge))
    _add_evidence(verbs)


def _add_evidence(verbs: Any) -> None:
    export = _with_lock(_add(verbs, "export-events", "write a lock's events as evidence; leaves a trace", _export))
    export.add_argument("--ground", choices=tuple(EVIDENCE_GROUNDS), required=True, help="why it may be done")
    export.add_argument("--case", metavar="REF", required=True, help="number of the request or of the court's case")
    export.add_argument("--from", dest="first", metavar="SEQ", type=int, help="first event (default: oldest kept)")
    export.add_argument("--to", dest="last", metavar="SEQ", type=int, help="last event (default: newest)")
    export.add_argument("--out", type=Path, help="a new file (default: events-SERIAL.jsonl)")
    verify = _add(verbs, "verify-events", "say what a file of evidence proves; needs nothing but the file", _verify)
    verify.add_argument("file", type=Path)
    verify.add_argument("--keys", type=Path, help="JWKS file: the only keys it may be signed with")


def _import(chosen: argparse.Namespace) -> int:
    try:
        manifest = json.loads(chosen.manifest.read_bytes())
    except (ValueError, RecursionError) as error:
        return _fail(f"{chosen.manifest} is not JSON: {error}. Nothing was imported.")
    rows = lock_manifests.rows_of(manifest)
    with _installation() as (world, settings):
        if chosen.check:
            fresh = lock_manifests.check_locks(rows)
            print(f"{fresh} locks would be imported, {len(rows) - fresh} are known; nothing was changed")
            return 0
        added = lock_manifests.import_locks(world, rows)
        _write_accounts(settings)
    print(f"{added} locks imported, {len(rows) - added} were known")
    return 0


def _list(chosen: argparse.Namespace) -> int:
    with _installation():
        rows = questions.list_locks(offline=chosen.offline, alarm=chosen.alarm, unclaimed=chosen.unclaimed)
    if chosen.json:
        shown = [{**vars(row), "last_seen_at": _time(row.last_seen_at)} for row in rows]
        print(json.dumps(shown, ensure_ascii=False))
        return 0
    print(f"{'serial':<20} {'presence':<9} {'last seen':<20} {'battery':>7}  {'list':<11} {'alarm':<16} unit")
    for row in rows:
        battery = "-" if row.battery_percent is None else f"{row.battery_percent} %"
        lists = f"{row.reported}/{row.desired}" + (" !" if row.reported != row.desired else "")
        unit = row.unit_alias or ("(going)" if row.life == "retiring" else "-")
        print(
            f"{row.serial:<20} {row.presence:<9} {_time(row.last_seen_at) or '-':<20} {battery:>7}  {lists:<11} "
            f"{row.alarm or '-':<16} {unit}"
        )
    return 0


def _show(chosen: argparse.Namespace) -> int:
    with _installation():
        card = questions.find_lock_card(chosen.lock)
    if card is None:
        raise Refused("lock.unknown", "lock")
    row = card.row
    life = row.life.replace("_", " ") + (f" ({card.retire_reason})" if card.retire_reason else "")
    lines = {
        "serial": row.serial,
        "id": row.id,
        "model": f"{card.model}, shard {card.shard}, {'keypad' if card.has_keypad else 'no keypad'}",
        "life": f"{life}{_at(card.retired_at or card.retiring_at)}",
        "replaced by": card.replaced_by,
        "unit": row.unit_alias and f"{row.unit_alias}{_at(card.claimed_at)}",
        "presence": f"{row.presence}{_at(row.last_seen_at)}",
        "online since": _time(card.born_at) if row.presence == "online" else None,
        "firmware": card.firmware,
        "clock": card.clock_quality,
        "battery": None if row.battery_percent is None else f"{row.battery_percent} %",
        "signal": None if card.signal_dbm is None else f"{card.signal_dbm} dBm",
        "key list": f"desired {row.desired}, reported {row.reported}{_at(card.reported_at)}",
        "epoch": f"desired {card.epoch}, reported {card.reported_epoch}",
        "events": f"stored to {card.stored_seq}, signed to {card.checked_seq}, kept from {card.oldest_seq or '-'}",
        "chain": None if card.closed_seq is None else f"closed at {card.closed_seq}",
        "alarm": row.alarm or "none",
        "anomalies": f"{len(card.anomalies)} rows" + (", newest first:" if card.anomalies else ""),
    }
    for name, value in lines.items():
        if value is not None:
            print(f"{name:<13} {value}")
    _print_anomalies(card.anomalies)
    return 0


def _replace(chosen: argparse.Namespace) -> int:
    with _installation() as (world, settings):
        heir = lock_lives.get_life(world, lock=chosen.new)
        question = (
            f"Lock {chosen.new} takes over the unit and every key of {chosen.old}. {chosen.old} opens no longer as "
            f"soon as it hears of it, so {chosen.new} must hang on the door."
        )
        if not heir.is_online:
            question += f" {chosen.new} is not online: phones must fetch its key before they can open it."
        if not _agreed(question, chosen.yes):
            return 1
        life = lock_lives.replace_lock(
            world, old=chosen.old, new=chosen.new, reason=chosen.reason, at_once=chosen.now
        )
        print(f"{chosen.new} has taken the place of {chosen.old}; holders and landlord were told.")
        return _finish(world, settings, life)


def _retire(chosen: argparse.Namespace) -> int:
    question = f"Lock {chosen.lock} is wiped and never used again: no key and no code opens it from now on."
    with _installation() as (world, settings):
        lock_lives.get_life(world, lock=chosen.lock)
        if not _agreed(question, chosen.yes):
            return 1
        life = lock_lives.retire_lock(world, lock=chosen.lock, reason=chosen.reason, at_once=chosen.now)
        return _finish(world, settings, life)


def _finish(world: World, settings: Settings, life: lock_lives.LockLife) -> int:
    """Wait a little for an online lock's last word, take retired locks' accounts from the broker, say how it stands."""
    if life.state == "retiring" and life.is_online:
        life = lock_lives.wait_until_retired(world, lock=life.id, seconds=WAIT_SECONDS)
    _write_accounts(settings)
    if life.state == "retired":
        print(f"{life.serial} is retired: its event chain is closed at {life.closed_seq}, its broker account is gone.")
        return 0
    print(
        f"{life.serial} is being retired: its key list is empty and it is told to wipe itself when it comes online. "
        "Run the command again to see, or with --now when it never will."
    )
    return 0


def _anomalies(chosen: argparse.Namespace) -> int:
    with _installation() as (world, _):
        lock_id = lock_lives.get_life(world, lock=chosen.lock).id if chosen.lock else None
        rows = questions.list_anomalies(lock_id)
    _print_anomalies(rows)
    if not rows:
        print("no message was refused")
    return 0


def _print_anomalies(rows: tuple[questions.AnomalyRow, ...]) -> None:
    for row in rows:
        last = f"  {row.size_bytes} B" if row.size_bytes is not None else ""
        last += f"  sha256 {row.digest[:16]}" if row.digest else ""
        print(f"  {_time(row.last_at)}  {row.lock_id}  {row.topic}  {row.kind}: {row.reason}  ×{row.seen}{last}")


def _acknowledge(chosen: argparse.Namespace) -> int:
    with _installation() as (world, _):
        alarm = lock_lives.acknowledge_alarm(world, lock=chosen.lock)
    print(f"alarm {alarm} of {chosen.lock}: acknowledged")
    return 0


def _export(chosen: argparse.Namespace) -> int:
    out: Path = chosen.out or Path(f"events-{chosen.lock}.jsonl")
    if out.exists():
        return _fail(f"{out} exists already; name another file with --out.")
    if not out.parent.is_dir():
        return _fail(f"There is no folder {out.parent}.")
    with _installation() as (world, _):
        made = lock_evidence.export_events(
            world, lock=chosen.lock, ground=chosen.ground, case=chosen.case, first=chosen.first, last=chosen.last
        )
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(made.content)
    print(f"{out}: events {made.first} to {made.last} of lock {made.lock_id}, {len(made.content)} bytes")
    if made.checked < made.last:
        print(f"The lock has signed up to {made.checked}; it signs what came since within the hour, when it is online.")
    print(f"{made.told} persons whose keys are in it read that it was made, with ground and case.")
    return 0


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.file.stat().st_size > LARGEST_FILE_BYTES:
        return _fail(f"{chosen.file} is larger than any exported event log.")
    keys = _read_keys(chosen.keys) if chosen.keys else None
    if chosen.keys and not keys:
        return _fail(f"There are no public keys in {chosen.keys}.")
    try:
        proof = verify_evidence(chosen.file.read_bytes(), keys)
    except EvidenceDamaged as damaged:
        place = f"line {damaged.line}" + (f", event {damaged.seq}" if damaged.seq is not None else "")
        print(f"NOT as it was written (证据已被改动): {damaged.why}.", file=sys.stderr)
        if damaged.exact:
            print(f"first changed byte: {damaged.offset} (counted from 0), {place}", file=sys.stderr)
        else:
            print(f"between bytes {damaged.offset} and {damaged.until} (counted from 0), {place}", file=sys.stderr)
        return 1
    _print_proof(proof)
    return 0


def _print_proof(proof: Proof) -> None:
    signed = ", ".join(f"{first} to {last}" for first, last in proof.signed) or "none"
    pinned = {True: "given with --keys", False: "named by the file: compare it with what you know"}
    lock_key = "given with --keys" if proof.lock_key_pinned else "vouched for by the platform"
    lines = {
        "lock 门锁": proof.lock_id,
        "events 事件": f"{proof.first} to {proof.last}, none missing, none changed"
        + (f"; of {proof.holes} the text was lost in the lock" if proof.holes else ""),
        "signed by the lock 门锁签名": signed,
        "lock's key 门锁公钥": f"{proof.lock_key} ({lock_key})",
        "platform's key 平台公钥": f"{proof.platform_key} ({pinned[proof.platform_key_pinned]})",
        "made at 导出时间": str(_time(datetime.fromtimestamp(proof.made_at, UTC))),
        "ground 依据": f"{' '.join(EVIDENCE_GROUNDS.get(proof.ground, (proof.ground,)))}, {proof.case}",
    }
    print("As it was written (证据完整).")
    for name, value in lines.items():
        print(f"  {name}: {value}")


def _read_keys(path: Path) -> PublicKeys | None:
    try:
        return keys_from_jwks(json.loads(path.read_text()))
    except (OSError, ValueError):
        return None


def _agreed(question: str, yes: bool) -> bool:
    """Whether the operator means it: asked on a terminal, said beforehand in a script."""
    if yes:
        return True
    if not sys.stdin.isatty():
        print(f"{question} Say --yes to do that without being asked; nothing was changed.", file=sys.stderr)
        return False
    if input(f"{question}\nType yes to go on: ").strip().lower() in ("yes", "y"):
        return True
    print("Nothing was changed.")
    return False


@contextmanager
def _installation() -> Iterator[tuple[World, Settings]]:
    """The installation's world and settings, with its database open."""
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        yield world_of(app), app.config["ANJU_SETTINGS"]
        db.session.remove()
        db.engine.dispose()


def _write_accounts(settings: Settings) -> None:
    """Let the broker know the accounts of the locks in use, and no others."""
    accounts = lock_manifests.list_broker_accounts()
    write_broker_files(settings, [(account.lock_id, account.password_hash) for account in accounts])


def _time(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at is not None else None


def _at(at: datetime | None) -> str:
    return f"  ({_time(at)})" if at is not None else ""


def _fail(sentence: str) -> int:
    print(f"anju: {sentence}", file=sys.stderr)
    return 1


def _with_lock(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("lock", metavar="LOCK", help="serial or id")
    return parser


def _add(verbs: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser
