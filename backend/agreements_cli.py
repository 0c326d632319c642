"""The operator's commands about other offices.

`agreement list | add | approve | suspend | resume | end | show | retry | reported`; `office name`, and `office fault`
for the demo's.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backend.bootstrap import check_revision, core_app, world_of
from backend.config import Settings
from backend.db import db
from backend.domain.refusals import Refused
from backend.domain.reported import STATE_NAMES
from backend.domain.sharing import OFFICE_PURPOSES
from backend.fault_switches import add_fault_arguments, switch_fault
from backend.gateways.wake_up import PostgresWakeUp, SocketWakeUp
from backend.gateways.world import World
from backend.queries.sharing import count_deliveries, list_deliveries, list_parked, list_reports
from backend.secrets_cli import add_secret_argument, ask_secrets
from backend.services import agreements, office_retries
from backend.services.agreement_acts import LARGEST_FILE_BYTES, approve_as_supervisor
from backend.services.agreements import AgreementView
from backend.services.office_names import name_office
from backend.services.officer_sessions import sign_out_officer, step_up
from backend.services.officers import sign_in_officer
from backend.wire.codec import MessageRejected, load
from backend.wire.registry_messages import write_time

SECRETS = ("password", "present one-time code")
SHELL = "anju agreement approve"


def add_agreement_commands(nouns: Any) -> None:
    """Add the noun `agreement` to the operator's grammar."""
    about = "data-sharing agreements with other offices"
    verbs = nouns.add_parser("agreement", help=about).add_subparsers(metavar="VERB", required=True)
    _add(verbs, "list", "every agreement with its state", _list)
    add = _add(verbs, "add", "take in an agreement as a draft (a JSON file; README shows one)", _take_in)
    add.add_argument("file", type=Path, metavar="FILE")
    approve = _add(
        verbs, "approve", "approve a draft as a supervisor; a second, different one puts it in force", _approve
    )
    approve.add_argument("agreement", metavar="ID")
    approve.add_argument("--login", required=True, help="the supervisor's sign-in name")
    add_secret_argument(approve, *SECRETS)
    for name, text, run in (
        ("suspend", "tell nothing until it is resumed; what happens meanwhile waits", _suspend),
        ("resume", "tell again, what has waited first", _resume),
        ("end", "end it for good; what was waiting does not leave", _end),
        ("show", "one agreement, what was delivered under it and what is parked", _show),
    ):
        verb = _add(verbs, name, text, run)
        verb.add_argument("agreement", metavar="ID")
        if name in ("suspend", "end"):
            verb.add_argument("--reason", required=True, help="why, for the audit log (no names)")
    retry = _add(verbs, "retry", "take up parked deliveries again, once the office has said what was wrong", _retry)
    retry.add_argument("agreement", metavar="ID")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("event", nargs="?", help="the event that `agreement show` names")
    which.add_argument("--all", action="store_true", help="all that are parked under this agreement")
    reported = _add(verbs, "reported", "changes that offices have reported; no person is named", _reported)
    reported.add_argument("--state", choices=tuple(STATE_NAMES), help="only these, for example unmatched")
    about = "offices: their English names, and the demo's stand-ins"
    offices = nouns.add_parser("office", help=about).add_subparsers(metavar="VERB", required=True)
    named = _add(offices, "name", "say what an office is called in English on the page of looks", _name)
    named.add_argument("zh", metavar="CHINESE", help="the name as officers and the registry write it")
    named.add_argument("en", metavar="ENGLISH")
    add_fault_arguments(_add(offices, "fault", "let a stand-in office fail, or list how it can", _fault))


def _name(chosen: argparse.Namespace) -> int:
    try:
        with _installation() as world:
            name_office(world, zh=chosen.zh, en=chosen.en)
    except Refused as refused:
        print(f"anju: {refused.refusal.sentence('en')} {refused.refusal.remedy('en')}", file=sys.stderr)
        return 2
    print(f"{chosen.zh} is called {chosen.en}.")
    return 0


def _list(_: argparse.Namespace) -> int:
    with _installation():
        rows = agreements.list_agreements()
    for row in rows:
        print(
            f"{row.id}  {row.subscriber:<20} v{row.version}  {row.state:<10} {row.starts_on} – {row.ends_on}  "
            f"{row.delivery:<8} {row.office_zh}{f'  ({row.state_reason})' if row.state_reason else ''}"
        )
    if not rows:
        print("There is no agreement yet: `./anju agreement add FILE`.")
    return 0


def _take_in(chosen: argparse.Namespace) -> int:
    with chosen.file.open("rb") as file:
        raw = file.read(LARGEST_FILE_BYTES + 1)
    try:
        written = load(raw)
    except MessageRejected:
        written = None
    if not isinstance(written, dict) or len(raw) > LARGEST_FILE_BYTES:
        print(f"anju: {chosen.file} does not hold one JSON object.", file=sys.stderr)
        return 1
    with _installation() as world:
        made = agreements.add_agreement(world, written=written)
    _print(made)
    if made.state == "draft":
        print(f"Two supervisors approve it: `./anju agreement approve {made.id} --login …`.")
    return 0


def _approve(chosen: argparse.Namespace) -> int:
    """What the console asks for, too: who they are shown twice, four eyes, the own area, and no session left behind."""
    with _installation() as world:
        _print(agreements.get_draft(chosen.agreement))
        password, code = ask_secrets(SECRETS, stdin=chosen.stdin)
        signed_in = sign_in_officer(world, login=chosen.login, password=password, code=code, user_agent=SHELL)
        try:
            step_up(world, session_id=signed_in.session_id, password=password)
            made = approve_as_supervisor(world, session_id=signed_in.session_id, agreement_id=chosen.agreement)
        finally:
            sign_out_officer(world, session_id=signed_in.session_id)
    print("In force." if made.state == "active" else "Approved once; another supervisor has to approve it too.")
    return 0


def _suspend(chosen: argparse.Namespace) -> int:
    with _installation() as world:
        agreements.suspend_agreement(world, agreement_id=chosen.agreement, reason=chosen.reason)
    print("Suspended.")
    return 0


def _resume(chosen: argparse.Namespace) -> int:
    with _installation() as world:
        agreements.resume_agreement(world, agreement_id=chosen.agreement)
    print("Active again.")
    return 0


def _end(chosen: argparse.Namespace) -> int:
    with _installation() as world:
        agreements.end_agreement(world, agreement_id=chosen.agreement, reason=chosen.reason)
    print("Ended: nothing leaves any more.")
    return 0


def _show(chosen: argparse.Namespace) -> int:
    with _installation():
        view = agreements.get_agreement(chosen.agreement)
        counts, parked, newest = count_deliveries(view.id), list_parked(view.id), list_deliveries(view.id)
    _print(view)
    print(f"deliveries     {json.dumps(counts, ensure_ascii=False)}")
    for row in parked:
        print(f"  parked  {write_time(row.at)}  {row.kind}  event {row.event_id}  {row.reason}")
    for line in newest:
        why = f"  ({line.reason})" if line.reason else ""
        print(f"  {write_time(line.at)}  {line.outcome:<10} {line.kind}  event {line.event_id}{why}")
        if line.fields:
            print(f"    {' '.join(line.fields)}")
    return 0


def _retry(chosen: argparse.Namespace) -> int:
    with _installation() as world:
        taken = office_retries.retry_parked(world, agreement_id=chosen.agreement, event_id=chosen.event)
    print(f"Taken up again: {taken}.")
    return 0


def _reported(chosen: argparse.Namespace) -> int:
    with _installation():
        rows = list_reports(chosen.state)
    for row in rows:
        print(
            f"{write_time(row.received_at)}  {row.state:<10} {row.kind:<30} {row.subscriber:<20} "
            f"{row.id}  {row.office_change_id}"
        )
    if not rows:
        print("Nothing has been reported.")
    return 0


def _fault(chosen: argparse.Namespace) -> int:
    port = Settings.from_environment().subscribers_port
    return switch_fault(f"http://127.0.0.1:{port}", "offices", chosen)


def _print(view: AgreementView) -> None:
    purpose_zh, purpose_en, _ = OFFICE_PURPOSES[view.purpose]
    why = f" ({view.state_reason})" if view.state_reason else ""
    lines = {
        "id": view.id,
        "office": f"{view.office_zh} / {view.office_en} ({view.subscriber}, version {view.version})",
        "state": f"{view.state}{why}, {view.approvals} of 2 approvals",
        "purpose": f"{purpose_zh} / {purpose_en} ({view.legal_basis})",
        "term": f"{view.starts_on} – {view.ends_on}",
        "areas": " ".join(view.areas),
        "direction": view.direction,
        "delivery": f"{view.delivery} {view.webhook_url or ''}",
        "kinds": " ".join(view.kinds),
        "fields": " ".join(view.fields),
    }
    for name, value in lines.items():
        print(f"{name:<14} {value}")


@contextmanager
def _installation() -> Iterator[World]:
    """The installation's world with its database open."""
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        world = world_of(app)
        try:
            yield world
        finally:
            db.session.remove()
            db.engine.dispose()
            if isinstance(world.wake_up, SocketWakeUp | PostgresWakeUp):
                world.wake_up.close()


def _add(verbs: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser
