"""The MQTT broker's files: configuration, passwords, who may touch which topic.

The broker is Mosquitto 2. Its files are written from the bridges' passwords and the locks' password hashes, each
replaced in one step, and read again by the broker on SIGHUP. A lock's account is its id and reaches its own subtree
only; a bridge's is anju-bridge-1, anju-bridge-2 …; nothing of a person is in any of these files.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import shutil
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path

from backend.config import MOST_BRIDGES, Settings, bridge_password_file

BRIDGE_USER = "anju-bridge-1"
_BRIDGES = "anju-bridge"  # no lock's account begins so
ROUNDS = 101  # Mosquitto's own default; the passwords are random, 192 bits, so rounds add nothing
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # a name with + or # would match foreign topics in the ACL
_HASH = re.compile(r"\$7\$[0-9]+\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+")


def find_mosquitto() -> str | None:
    """Path of the broker's program, also where it is not on PATH (Debian keeps it in sbin), or None."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def hash_password(password: str, salt: bytes | None = None) -> str:
    """A password as Mosquitto keeps it: `$7$rounds$salt$hash`, PBKDF2 with SHA-512, 64 bytes, standard base64."""
    salt = secrets.token_bytes(12) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 64)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def bridge_names(count: int) -> list[str]:
    """The accounts of so many bridges."""
    return [f"{_BRIDGES}-{number}" for number in range(1, count + 1)]


def bridge_password(keys_folder: Path, name: str = BRIDGE_USER) -> str:
    """A bridge's password, made once and kept in the keys' folder with mode 0600."""
    path = bridge_password_file(keys_folder, name)
    if not path.exists():
        keys_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace(path, secrets.token_urlsafe(24) + "\n")
    return path.read_text().strip()


def write_broker_files(settings: Settings, accounts: Iterable[tuple[str, str]]) -> None:
    """Write all files of this installation's broker and let a running one read its accounts again.

    `accounts` are pairs of lock id and password hash (`$7$…`); a bridge's password is made when there is none.
    Raises ValueError for a name or a hash that could change the meaning of a line.
    """
    folder = settings.var / "broker"
    # A bridge that has an account keeps it, also when a command runs that was told of fewer.
    keys = settings.keys_folder
    known = [name for name in bridge_names(MOST_BRIDGES) if bridge_password_file(keys, name).exists()]
    names = list(dict.fromkeys([*bridge_names(settings.bridges), *known]))
    write_configuration(folder, settings.broker_port, bridges=names)
    bridges = {name: bridge_password(settings.keys_folder, name) for name in names}
    write_passwords(folder, bridges=bridges, locks=accounts)
    reload_broker(folder)


def write_configuration(folder: Path, port: int, *, bridges: Iterable[str] = (BRIDGE_USER,)) -> Path:
    """Write mosquitto.conf and acl into `folder`; returns the configuration's path."""
    (folder / "store").mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder.resolve()
    _replace(folder / "acl", access_list(bridges))
    _replace(folder / "mosquitto.conf", _configuration(folder, port))
    return folder / "mosquitto.conf"


def write_passwords(folder: Path, *, bridges: Mapping[str, str], locks: Iterable[tuple[str, str]]) -> None:
    """Write the password file: the bridges' accounts and one per lock; the broker reads it on `reload_broker`.

    Raises ValueError for a name or a hash that could change the meaning of a line.
    """
    lines = [f"{name}:{hash_password(password)}" for name, password in bridges.items()]
    for name, hashed in locks:
        if not _NAME.fullmatch(name) or name.startswith(_BRIDGES):
            raise ValueError(f"{name!r} cannot be a lock's account")
        if not _HASH.fullmatch(hashed):
            raise ValueError(f"the password hash of lock {name} is not in Mosquitto's $7$ form")
        lines.append(f"{name}:{hashed}")
    _replace(folder / "passwords", "\n".join(lines) + "\n")


def reload_broker(folder: Path) -> bool:
    """Ask the running broker to read passwords and ACL again; False when none runs (it reads them when it starts)."""
    try:
        pid = int((folder / "mosquitto.pid").read_text())
        if not _is_mosquitto(pid):  # killed, its file left behind, and the number now another program's
            return False
        os.kill(pid, signal.SIGHUP)
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return False
    return True


def _is_mosquitto(pid: int) -> bool:
    command = Path(f"/proc/{pid}/cmdline")
    return b"mosquitto" in command.read_bytes() if Path("/proc/self").exists() else True


def access_list(bridges: Iterable[str]) -> str:
    """Who may touch which topic: a bridge speaks down and listens up, a lock the other way on its own subtree.

    Which locks are a bridge's own is decided by its lease (backend.services.bridge_shards), not here.
    """
    rights = "topic write anju/v1/+/+/dn/#\ntopic read anju/v1/+/+/up/#\n"
    return "".join(f"user {name}\n{rights}\n" for name in bridges) + LOCKS_ACL


LOCKS_ACL = """\
# A lock (its account is its id) speaks up and listens down, on its own subtree only.
pattern write anju/v1/+/%u/up/#
pattern read anju/v1/+/%u/dn/#
"""
ACL = access_list([BRIDGE_USER])


def _configuration(folder: Path, port: int) -> str:
    # Started as root, Mosquitto changes to its own user and can then neither read files of mode 0600 nor be reached
    # by the signal that ends it when its supervisor dies (the kernel drops that signal with the change of user).
    user = "user root\n" if os.geteuid() == 0 else ""
    return f"""\
# Written by Anju (backend/broker.py); changes here are lost.
{user}listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
# The client id is the account's name: nobody can take over another's session by its id.
use_username_as_clientid true
# 0 is "no limit": the default of 1,000 drops most of a burst whose receipt was already confirmed.
max_queued_messages 0
max_inflight_messages 1000
# Without it a busy connection waits 40 ms and more per command.
set_tcp_nodelay true
max_packet_size 262144
persistence true
persistence_location {folder}/store/
pid_file {folder}/mosquitto.pid
log_dest stdout
log_timestamp_format %Y-%m-%dT%H:%M:%S
log_type error
log_type warning
log_type notice
connection_messages false
"""


def _replace(path: Path, text: str) -> None:
    """Write a file of mode 0600 in one step: a reader sees the old one or the new one."""
    fresh = path.with_name(path.name + ".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, path)
