"""`./anju demo --lan`: which address phones on the network use, and what differs in the environment because of it."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

from backend.config import Settings, SettingsError

# Addresses that do not leave a building (RFC 1918, RFC 3927, RFC 6598) and this machine's own: the demo shows codes to
# whoever asks, so it never listens on an address of the open internet. backend.lan_site.authority has the same list.
NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8")
DEFAULT_ROUTE = "default-route"
_ELSEWHERE = ("192.0.2.1", 9)  # TEST-NET-1 (RFC 5737): nobody is there, and nothing is sent


def choose_address(wish: str) -> str:
    """The IPv4 address to serve on: `wish`, or with DEFAULT_ROUTE the one this machine reaches others from.

    Raises SettingsError when there is none, when it is not this machine's, or when it is one of the open internet.
    """
    address = _address_of_default_route() if wish == DEFAULT_ROUTE else wish
    try:
        known = ipaddress.IPv4Address(address)
    except ValueError:
        raise SettingsError(
            f"--lan takes an IPv4 address of this machine, such as 192.168.1.20; got {wish!r}."
        ) from None
    if not any(known in ipaddress.ip_network(network) for network in NETWORKS):
        raise SettingsError(
            f"{address} is not a private address: the demo shows its codes to everybody who reaches it, so it listens "
            "on private networks only. Name one of this machine's private addresses: ./anju demo --lan ADDRESS"
        )
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            raise SettingsError(f"{address} is no address of this machine.") from None
    return address


def _address_of_default_route() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # UDP: asks the routing table, sends nothing
        except OSError:
            raise SettingsError(
                "This machine has no route to a network. Join one, or name the address: ./anju demo --lan ADDRESS"
            ) from None
        return str(probe.getsockname()[0])


def certificates_folder(settings: Settings) -> Path:
    """Where the authority and the server's certificate lie."""
    return settings.keys_folder / "lan"


def lan_environment(settings: Settings) -> dict[str, str]:
    """What the processes are told on a network: https addresses in links, secure cookies, whom to trust."""
    return {
        "ANJU_MOBILE_URL": f"https://{settings.lan_address}:{settings.mobile_port}",
        "ANJU_NETID_URL": f"https://127.0.0.1:{settings.netid_port}",
        "ANJU_NETID_PUBLIC_URL": f"https://{settings.lan_address}:{settings.netid_port}",
        "ANJU_NETID_CA": str(certificates_folder(settings) / "ca.pem"),
        "ANJU_COOKIE_SECURE": "1",
    }


def door_options(settings: Settings) -> tuple[str, ...]:
    """What gunicorn is told beside the usual: the address on the network, and its certificate."""
    if not settings.lan_address:
        return ()
    folder = certificates_folder(settings)
    return (f"--certfile={folder / 'server.pem'}", f"--keyfile={folder / 'server-key.pem'}")


def addresses_of(settings: Settings) -> tuple[str, ...]:
    """Where a door that phones open listens: this machine's own address, and with --lan the network's."""
    return tuple(dict.fromkeys(("127.0.0.1", *filter(None, (settings.lan_address,)))))


def scheme_of(settings: Settings) -> str:
    """How those doors speak."""
    return "https" if settings.lan_address else "http"


def site_options(settings: Settings) -> tuple[str, ...]:
    """The arguments that all steps of backend.lan_site take."""
    return (
        f"--folder={certificates_folder(settings)}",
        f"--address={settings.lan_address}",
        f"--port={settings.lan_page_port}",
        f"--app-port={settings.mobile_port}",
        f"--console-port={settings.console_port}",
    )
