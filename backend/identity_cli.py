"""The operator's commands about the identity step: `identity figures`, `netid fault`."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from backend.bootstrap import check_revision, core_app, world_of
from backend.config import Settings
from backend.fault_switches import add_fault_arguments, switch_fault
from backend.queries.identity_figures import get_identity_figures


def add_identity_commands(nouns: Any) -> None:
    """Add the nouns `identity` and `netid` to the operator's grammar."""
    identity = nouns.add_parser("identity", help="how the identity step goes").add_subparsers(
        metavar="VERB", required=True
    )
    text = "unaided completion and the wait for a review over the last 30 days, in numbers only"
    figures = identity.add_parser("figures", help=text, description=text)
    figures.add_argument("--json", action="store_true", help="for machines")
    figures.set_defaults(run=_figures)
    netid = nouns.add_parser("netid", help="the demo's stand-in of network identity").add_subparsers(
        metavar="VERB", required=True
    )
    text = "let the stand-in of network identity fail, or list how it can"
    fault = netid.add_parser("fault", help=text, description=text)
    add_fault_arguments(fault)
    fault.set_defaults(run=_fault)


def _figures(chosen: argparse.Namespace) -> int:
    app = core_app(Settings.from_environment())
    check_revision(app)
    with app.app_context():
        figures = get_identity_figures(world_of(app).clock.now())
    if chosen.json:
        print(json.dumps(asdict(figures) | {"unaided_percent": figures.unaided_percent}))
        return 0
    share = f"{figures.unaided_percent} %" if figures.unaided_percent is not None else "-"
    print(f"began the identity step   {figures.began}   (last {figures.days} days)")
    print(f"finished unaided          {figures.unaided}   {share}")
    for way, count in figures.by_way.items():
        print(f"  {way:<22}  {count}")
    print(f"finished with help        {figures.helped}")
    print(f"not finished              {figures.unfinished}")
    print(f"median wait for a review  {_hours(figures.median_wait_minutes)}   ({figures.decided} decided)")
    print(f"open reviews              {figures.open_reviews}   late {figures.late_reviews}")
    return 0


def _hours(minutes: int | None) -> str:
    if minutes is None:
        return "-"
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _fault(chosen: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    url = settings.netid_url
    if not url:
        print("No network identity is configured (ANJU_NETID_URL).", file=sys.stderr)
        return 1
    return switch_fault(url, "network identity", chosen, ca=settings.netid_ca)
