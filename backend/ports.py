"""Ports of this machine: is one free, who holds it, give me a free one."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from backend.open_files import who_holds

_LISTENING = "0A"  # state column of /proc/net/tcp


def is_port_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: an ended one does not block
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def free_ports(count: int) -> list[int]:
    """`count` different free ports; all are held until all are found, so none is named twice."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def who_listens(port: int) -> str | None:
    """Who holds a port, as "gunicorn, process 4711", where this machine tells; None where it does not."""
    inodes = _listening_inodes(port)
    return who_holds(inodes) if inodes else None


def _listening_inodes(port: int) -> set[str]:
    wanted = f":{port:04X}"
    found = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            rows = [line.split() for line in table.read_text().splitlines()[1:]]
        except OSError:
            continue
        found |= {f"socket:[{row[9]}]" for row in rows if row[1].endswith(wanted) and row[3] == _LISTENING}
    return found
