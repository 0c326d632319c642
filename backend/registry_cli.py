"""The operator's commands: `registry status | show | retry | reconcile | fault`, and `receipt verify`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from backend.fault_switches import add_fault_arguments, switch_fault
from backend.gateways.registry_client import read_receipt_keys
from backend.operator_world import any_settings, installation
from backend.queries.duty_lists import count_near_deadline
from backend.queries.reconciliations import get_reconciliation_sum
from backend.queries.registry_sync import ReturnedLeg, SyncHealth, find_course, get_sync_health, list_returned
from backend.reconcile_cli import add_reconcile_command, comparisons_json, print_comparisons
from backend.services.audit import Actor
from backend.services.registry_upkeep import retry_all_parked, retry_parked
from backend.services.returned_legs import retry_all_returned, retry_returned
from backend.wire.receipts import ReceiptInvalid, find_receipt_in_file, verify_receipt
from backend.wire.registry_messages import is_record_id, write_time

LARGEST_FILE_BYTES = 5_000_000

_REASONS = {
    "not_found": "there is no receipt in it",
    "unknown_key": "it was not signed by a key this registry has published",
    "bad_signature": "the signature does not fit: something in it was changed",
    "bad_claim": "its content is not that of a receipt",
    "wrong_kind": "it is another kind of document, not a receipt",
}


def add_registry_commands(subparsers: Any) -> None:
    """Add the nouns `registry` and `receipt` to the operator's grammar."""
    registry = subparsers.add_parser("registry", help="what waits for the registry and what came back")
    verbs = registry.add_subparsers(metavar="VERB", required=True)
    status = _add(verbs, "status", "backlog, last receipt, contact, parked rows", _status)
    status.add_argument("--json", action="store_true", help="for machines")
    show = _add(verbs, "show", "one registration and every attempt to tell it", _show)
    show.add_argument("record", metavar="RECORD", help="the registration's id")
    retry = _add(verbs, "retry", "send a parked or returned row again, or all that is not for others to mend", _retry)
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("outbox_id", metavar="ROW", type=int, nargs="?", help="its number in `registry status`")
    which.add_argument("--all", action="store_true", help="every parked row, and what came back for us to mend")
    add_reconcile_command(verbs)
    fault = _add(verbs, "fault", "let the stand-in registry fail, or list how it can", _fault)
    add_fault_arguments(fault)
    receipt = subparsers.add_parser("receipt", help="registry receipts, verified offline")
    verify = _add(
        receipt.add_subparsers(metavar="VERB", required=True),
        "verify",
        "say whether a receipt is genuine; no network is used",
        _verify,
    )
    verify.add_argument("receipt", metavar="FILE|TEXT", help="its PDF, a saved page, the QR code's text, or -")
    verify.add_argument("--keys", type=Path, help="JWKS file with the registry's published keys")


def _verify(chosen: argparse.Namespace) -> int:
    keys_file = chosen.keys or _keys_file()
    keys = read_receipt_keys(keys_file)
    if not keys:
        print(f"The registry's published keys are not readable in {keys_file}; name them with --keys.", file=sys.stderr)
        return 1
    try:
        receipt = verify_receipt(find_receipt_in_file(_bytes_of(chosen.receipt)), keys)
    except ReceiptInvalid as invalid:
        reason = _REASONS.get(invalid.reason, invalid.reason)
        print(f"NOT a genuine receipt (凭证无效): {reason}.", file=sys.stderr)
        return 1
    lines = {
        "receipt 凭证号": receipt.number,
        "record 登记": receipt.record_id,
        "version 版本": str(receipt.record_version),
        "operation 操作": receipt.op,
        "reported by 申报方": receipt.leg,
        "declared at 申报时间": write_time(receipt.declared_at),
        "accepted at 受理时间": write_time(receipt.accepted_at),
        "content hash 内容摘要": receipt.payload_hash,
    }
    print("Genuine receipt (凭证有效).")
    for name, value in lines.items():
        print(f"  {name}: {value}")
    return 0


def _status(chosen: argparse.Namespace) -> int:
    with installation() as world:
        health, compared = get_sync_health(world.clock.now()), get_reconciliation_sum()
        returned = list_returned()
        near_deadline, paper_due = count_near_deadline()
    if chosen.json:
        near = {"near_deadline": near_deadline, "paper_due": paper_due}
        print(json.dumps({**_status_json(health), "returned": _returned_json(returned),
                          **comparisons_json(compared), **near}, ensure_ascii=False))
        return 0 if health.is_well else 1
    contact = "reached" if health.failure is None and health.reached_at else f"NOT reached: {health.failure or 'never'}"
    if health.failing_since is not None:
        contact += f", since {write_time(health.failing_since)}"
    print(f"registry       {contact}")
    print(f"waiting        {health.backlog}{_since(health.oldest_waiting_at)}")
    print(f"last receipt   {health.last_receipt_no or '-'}{_since(health.last_receipt_at)}")
    print(f"returned       {health.rejected} registrations wait for a correction")
    for leg in returned:
        named = " ".join(code + pointer for code, pointer in zip(leg.codes, leg.pointers, strict=True))
        print(f"  {leg.outbox_id:>6}  {leg.registration_id}  {leg.kind} {leg.leg}  {leg.owner}: {named}")
    print(f"alarms (24 h)  {health.alarms_today}")
    print(f"near deadline  {near_deadline} declared and not accepted; the paper form is due for {paper_due} of them")
    print(f"parked         {len(health.parked)}")
    for row in health.parked:
        fields = f"  {' '.join(row.pointers)}" if row.pointers else ""
        print(f"  {row.outbox_id:>6}  {row.registration_id}  {row.kind} {row.leg}  {row.owner}: {row.error}{fields}")
    print_comparisons(compared)
    return 0 if health.is_well else 1


def _show(chosen: argparse.Namespace) -> int:
    with installation():
        course = find_course(chosen.record) if is_record_id(chosen.record) else None
    if course is None:
        print(f"There is no registration {chosen.record}.", file=sys.stderr)
        return 1
    print(f"registration   {course.registration_id}")
    print(f"state          {course.registry_state}, version {course.version}, accepted {course.accepted_version}")
    for name, number in (
        ("tenant's receipt", course.receipt_no),
        ("landlord's receipt", course.landlord_receipt_no),
        ("check-out's receipt", course.checkout_receipt_no),
    ):
        print(f"{name:<20} {number or '-'}")
    for attempt in course.attempts:
        codes = " ".join(error["code"] + error["pointer"] for error in attempt.errors)
        print(
            f"  {write_time(attempt.sent_at)}  {attempt.op:<8} {attempt.leg:<8} v{attempt.version}  "
            f"{attempt.outcome:<10} {attempt.reason or attempt.receipt_no or ''} {codes}".rstrip()
        )
    return 0


def _retry(chosen: argparse.Namespace) -> int:
    with installation() as world:
        if chosen.all:
            rows = retry_all_parked(world, actor=Actor("operator"))
            legs = retry_all_returned(world, actor=Actor("operator"))
            print(f"{rows} parked rows and {legs} returned legs will be sent again.")
            return 0
        named = {"outbox_id": chosen.outbox_id, "actor": Actor("operator")}
        taken = retry_parked(world, **named) or retry_returned(world, **named)
    print("It will be sent again." if taken else f"No parked or returned row has the number {chosen.outbox_id}.")
    return 0 if taken else 1


def _fault(chosen: argparse.Namespace) -> int:
    return switch_fault(any_settings().registry_url, "registry", chosen)


def _bytes_of(given: str) -> bytes:
    if given == "-":
        return sys.stdin.buffer.read(LARGEST_FILE_BYTES)
    try:
        path = Path(given)
        is_file = len(given) < 1000 and path.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        return given.encode("utf-8", "replace")
    with path.open("rb") as file:
        return file.read(LARGEST_FILE_BYTES)


def _keys_file() -> Path:
    settings = any_settings()
    return Path(settings.registry_keys or settings.var / "registry" / "public.jwks.json")


def _since(at: Any) -> str:
    return f"  ({write_time(at)})" if at is not None else ""


def _status_json(health: SyncHealth) -> dict[str, Any]:
    times = ("oldest_waiting_at", "last_receipt_at", "checked_at", "reached_at", "failing_since")
    plain = {name: getattr(health, name) for name in ("backlog", "last_receipt_no", "failure", "rejected", "is_well")}
    plain |= {name: write_time(at) if (at := getattr(health, name)) else None for name in times}
    parked = [
        {"row": row.outbox_id, "registration": row.registration_id, "owner": row.owner, "error": row.error,
         "fields": list(row.pointers)}
        for row in health.parked
    ]  # fmt: skip
    return {**plain, "alarms_today": health.alarms_today, "parked": parked}


def _returned_json(returned: Sequence[ReturnedLeg]) -> list[dict[str, Any]]:
    return [
        {"row": leg.outbox_id, "registration": leg.registration_id, "leg": leg.leg, "owner": leg.owner,
         "codes": list(leg.codes), "fields": list(leg.pointers)}
        for leg in returned
    ]  # fmt: skip


def _add(verbs: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser
