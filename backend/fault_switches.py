"""Failures of a stand-in, switched from the shell: what `registry fault` and `netid fault` share."""

from __future__ import annotations

import argparse
import json
import ssl
import sys
from typing import Any

import httpx


def add_fault_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a `fault` verb."""
    parser.add_argument("name", nargs="?", help="the failure; without it, all are listed")
    parser.add_argument("params", nargs="*", metavar="NAME=VALUE", help="for example seconds=60 times=3")
    parser.add_argument("--off", action="store_true", help="switch it (or all) off")


def switch_fault(url: str, what: str, chosen: argparse.Namespace, *, ca: str = "") -> int:
    """Switch a failure of the stand-in at `url` on or off, or list them; `what` names it in sentences.

    `ca` is the file of the authority that signs the stand-in's certificate, when it speaks https.
    """
    address = f"{url.rstrip('/')}/_sim/faults" + (f"/{chosen.name}" if chosen.name else "")
    trust = ssl.create_default_context(cafile=ca or None) if url.startswith("https://") else False
    with httpx.Client(timeout=5, trust_env=False, verify=trust) as client:
        try:
            if chosen.off:
                answer = client.delete(address)
            elif chosen.name:
                answer = client.put(address, json=_params(chosen.params))
            else:
                answer = client.get(address)
        except httpx.HTTPError:
            print(f"The stand-in {what} does not answer.", file=sys.stderr)
            return 1
    if answer.status_code != 200:
        print(_why(answer) or f"The {what} has no such switch; `fault` without a name lists them.", file=sys.stderr)
        return 1
    body = answer.json()
    params = body.get("params", {})
    for name, does in body.get("known", {}).items():
        print(f"{name:<18} {does}" + (f"  [{params[name]}]" if params.get(name) else ""))
    if params:
        print("Every one also takes times=N: it shows so often and is then off.")
    print("on: " + (json.dumps(body["on"], ensure_ascii=False) if body["on"] else "nothing"))
    return 0


def _why(answer: httpx.Response) -> str:
    """The stand-in's own sentence about a refusal, if it gave one."""
    try:
        said = answer.json().get("error", "")
    except (ValueError, AttributeError):
        return ""
    return said if isinstance(said, str) else ""


def _params(words: list[str]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        params[name] = int(value) if value.lstrip("-").isdigit() else value.split(",") if "," in value else value
    return params
