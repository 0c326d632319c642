"""`python -m backend.lan_site certificates | serve | words`: the steps of `./anju demo --lan`, each its own process."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backend.lan_site.authority import ensure_certificates, fingerprint, read_authority
from backend.lan_site.page import Place, common_name, day, in_lines, make_answers, make_server, qr_terminal

WORDS = """\
  For real phones on this network ({address}): one time, install the demo's certificate authority, then open Anju.

  1. Scan this with the phone's camera, or open  {page}
{page_code}
     and compare the fingerprint (SHA-256) that the phone shows with this one:
{lines}
  2. Scan this, or open  {app}
{app_code}
  The risk, plainly. A phone that trusts this authority believes whoever holds its key. The key stays on this computer
  ({folder}), and the authority is good for private addresses and names under .local
  alone, until {until}. Everybody on this network can open the demo and read its codes: use invented people only,
  and no network of strangers. When you are done, remove "{name}" from the phone:
    iPhone   Settings, General, VPN & Device Management, the profile, Remove Profile
    Android  Settings, Security, Encryption & credentials, User credentials (or Trusted credentials, User), Remove
  Deleting the folder above (or ./anju demo --reset) makes the key worthless for good.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one step; returns its exit status."""
    options = parser().parse_args(arguments)
    if options.step == "certificates":
        made = ensure_certificates(options.folder, options.address, socket.gethostname(), datetime.now(UTC))
        if made.authority_is_new:
            print(f"Made a certificate authority for this network: {common_name(made.authority)}")
        if made.server_is_new:
            until = day(made.server.not_valid_after_utc, "en")
            print(f"Made the server's certificate for {options.address}, until {until}.")
        return 0
    place = Place(
        page=f"http://{options.address}:{options.port}/",
        app=f"https://{options.address}:{options.app_port}/",
        console=f"https://{options.address}:{options.console_port}/",
    )
    if options.step == "words":
        print(words(options, place))
        return 0
    return serve(options, place)


def parser() -> argparse.ArgumentParser:
    """The command line; every address and port is told, none is read from the environment."""
    made = argparse.ArgumentParser(prog="backend.lan_site", description=__doc__)
    made.add_argument("step", choices=("certificates", "serve", "words"))
    made.add_argument("--folder", type=Path, required=True, help="where the certificates lie")
    made.add_argument("--address", required=True, help="this machine's address on the network")
    made.add_argument("--port", type=int, default=8009, help="of the page")
    made.add_argument("--app-port", type=int, default=8000)
    made.add_argument("--console-port", type=int, default=8001)
    return made


def words(options: argparse.Namespace, place: Place) -> str:
    """What the terminal says: the two QR codes, the fingerprint, the risk, the way back."""
    authority = read_authority(options.folder)
    return WORDS.format(
        address=options.address,
        page=place.page,
        page_code=qr_terminal(place.page),
        app=place.app,
        app_code=qr_terminal(place.app),
        lines="\n".join(f"     {line}" for line in in_lines(fingerprint(authority))),
        folder=options.folder,
        until=day(authority.not_valid_after_utc, "en"),
        name=common_name(authority),
    )


def serve(options: argparse.Namespace, place: Place) -> int:
    """Serve the page on the network's address and on this machine's own, until asked to end."""
    answers = make_answers(options.folder, place)
    servers = make_server([options.address, "127.0.0.1"], options.port, answers)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    over.wait()
    for server in servers:
        server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
