"""The operator's commands: `python -m backend.cli NOUN VERB`, reached through `./anju`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask

from backend.bootstrap import WrongRevision, check_revision, core_app, upgrade_database, world_of
from backend.config import Settings, SettingsError
from backend.domain.log_faults import fault_sentence
from backend.domain.refusals import Refused
from backend.secrets_cli import NEW_PASSWORD, SecretMissing, add_secret_argument, ask_new_password


def main(arguments: list[str] | None = None) -> int:
    """Run one command; answers the exit status (0 done, 1 refused or failed, 2 wrong words)."""
    parser = make_parser()
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return 2
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        status = run(chosen)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads has seen enough, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (SettingsError, WrongRevision, SecretMissing, FileNotFoundError) as error:
        print(f"anju: {error}", file=sys.stderr)
    except Refused as error:
        for refusal in error.refusals:
            where = f"{refusal.field}: " if refusal.field else ""
            print(f"anju: {where}{refusal.sentence('en')} {refusal.remedy('en')}", file=sys.stderr)
    return 1


def make_parser() -> argparse.ArgumentParser:
    """The grammar: one noun, one verb."""
    from backend.address_cli import add_address_commands
    from backend.agreements_cli import add_agreement_commands
    from backend.faces_cli import add_face_commands
    from backend.identity_cli import add_identity_commands
    from backend.imports_cli import add_import_commands
    from backend.locks_cli import add_lock_commands
    from backend.registry_cli import add_registry_commands

    parser = argparse.ArgumentParser(prog="anju", description="Anju: the operator's commands.")
    nouns = parser.add_subparsers(title="commands", metavar="NOUN")
    _add(nouns, "upgrade-database", "bring the database to the newest migration", _upgrade)
    _add(nouns, "prepare-demo", "database, keys, locks, sample village: everything the demo needs", _prepare_demo)
    _add(nouns, "seed-demo", "make the sample village, once", _seed)
    sign_ins = _add(nouns, "demo-sign-ins", "who can sign in to the demo", _sign_ins)
    sign_ins.add_argument("--json", action="store_true", help="for machines")
    staff = nouns.add_parser("officer", help="precinct staff").add_subparsers(metavar="VERB", required=True)
    officers = _add(staff, "add", "make an officer's account; prints the one-time code's secret", _officer)
    for name in ("login", "display-name", "office", "role", "area"):
        officers.add_argument(f"--{name}", required=True)
    add_secret_argument(officers, NEW_PASSWORD)
    first = _add(staff, "first", "make the first supervisor; prints the code for the first sign-in", _first_officer)
    for name in ("login", "display-name", "office", "area"):
        first.add_argument(f"--{name}", required=True)
    reset = _add(staff, "reset", "new ways to sign in where no other supervisor can give them", _reset_officer)
    reset.add_argument("login")
    audit = nouns.add_parser("audit", help="the audit log").add_subparsers(metavar="VERB", required=True)
    _add(audit, "verify", "recompute every leaf and checkpoint", _verify_audit)
    _add(audit, "sign-on", "stand in for leaves that are lost for good, so that later ones are signed", _sign_on)
    add_address_commands(nouns)
    add_import_commands(nouns)
    add_lock_commands(nouns)
    add_face_commands(nouns)
    add_registry_commands(nouns)
    add_identity_commands(nouns)
    add_agreement_commands(nouns)
    return parser


def _add(nouns: Any, name: str, text: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = nouns.add_parser(name, help=text, description=text)
    parser.set_defaults(run=run)
    return parser


def _core(*, checked: bool = True) -> Flask:
    app = core_app(Settings.from_environment())
    if checked:
        check_revision(app)
    return app


def _upgrade(_: argparse.Namespace) -> int:
    app = _core(checked=False)
    upgrade_database(app)
    print("database: up to date")
    return 0


def _prepare_demo(_: argparse.Namespace) -> int:
    from backend.broker import write_broker_files
    from backend.seeding import seed_demo
    from backend.seeding_offices import stand_in_receivers
    from backend.services.lock_manifests import list_broker_accounts

    app = _core(checked=False)
    upgrade_database(app)
    settings: Settings = app.config["ANJU_SETTINGS"]
    with app.app_context():
        made = seed_demo(world_of(app), settings.var, stand_in_receivers(settings.subscribers_port))
        accounts = list_broker_accounts()
    write_broker_files(settings, [(account.lock_id, account.password_hash) for account in accounts])
    print("sample village: made" if made else "sample village: there already")
    return 0


def _seed(_: argparse.Namespace) -> int:
    from backend.seeding import seed_demo

    app = _core()
    with app.app_context():
        made = seed_demo(world_of(app), app.config["ANJU_SETTINGS"].var)
    print("sample village: made" if made else "sample village: there already")
    return 0


def _sign_ins(chosen: argparse.Namespace) -> int:
    from backend.seeding import demo_sign_ins

    rows = demo_sign_ins()
    if chosen.json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        for row in rows:
            print(f"{row['door']:9} {row['sign_in']:24} {row['who']}")
    return 0


def _officer(chosen: argparse.Namespace) -> int:
    from backend.services.officers import create_officer

    app = _core()
    with app.app_context():
        made = create_officer(
            world_of(app),
            login=chosen.login,
            display_name=chosen.display_name,
            office=chosen.office,
            role=chosen.role,
            area=chosen.area,
            password=ask_new_password(stdin=chosen.stdin),
        )
    print(f"officer {chosen.login}, badge {made.badge}; secret of the one-time codes: {made.totp_secret}")
    return 0


def _first_officer(chosen: argparse.Namespace) -> int:
    from backend.services.officer_enrolment import make_first_supervisor

    wanted = {name: getattr(chosen, name) for name in ("login", "display_name", "office", "area")}
    app = _core()
    with app.app_context():
        code = make_first_supervisor(world_of(app), **wanted).code
    _print_first_code(app, chosen.login, code)
    return 0


def _reset_officer(chosen: argparse.Namespace) -> int:
    from backend.services.officer_enrolment import reset_by_operator

    app = _core()
    with app.app_context():
        code = reset_by_operator(world_of(app), login=chosen.login).code
    _print_first_code(app, chosen.login, code)
    return 0


def _print_first_code(app: Flask, login: str, code: str) -> None:
    print(f"officer {login}, first sign-in within three days: {world_of(app).house.console_url}/first")
    print(f"code, shown this once: {code}")


def _verify_audit(_: argparse.Namespace) -> int:
    from backend.services.audit_verification import check_log_from_shell

    app = _core()
    with app.app_context():
        check = check_log_from_shell(world_of(app))
    for fault in check.faults:
        print(fault_sentence(fault, "en"))
    if check.fault_count > len(check.faults):
        print(f"and {check.fault_count - len(check.faults)} more")
    if check.fault_count:
        print(f"audit: {check.fault_count} faults in {check.leaves} leaves")
        return 1
    print(f"audit: {check.leaves} leaves, every one and every checkpoint fits")
    return 0


def _sign_on(_: argparse.Namespace) -> int:
    from backend.services.audit_sealing import stand_in_for_lost

    app = _core()
    with app.app_context():
        lost = stand_in_for_lost(world_of(app))
    if not lost:
        print("audit: no leaf is missing, nothing was changed")
        return 0
    for number in lost:
        print(fault_sentence(f"leaf.lost:{number}", "en"))
    print("audit: the worker signs on within a minute; every check will name what is lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
