"""A real broker for tests, on a free port, with the files the product writes for its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from backend.broker import (
    BRIDGE_USER,
    bridge_names,
    find_mosquitto,
    hash_password,
    reload_broker,
    write_configuration,
    write_passwords,
)
from backend.ports import free_ports

BRIDGES = 2
MISSING = (
    "Mosquitto is missing: the tests speak to a real broker. `./anju test` installs it where it may; by hand: "
    "apt-get install mosquitto"
)


class TestBroker:
    """A running Mosquitto; `password` is the first bridge's, `bridges` all of them; locks come with `add_lock`."""

    __test__ = False  # not a class of tests

    def __init__(self, folder: Path) -> None:
        program = find_mosquitto()
        if program is None:
            raise RuntimeError(MISSING)
        self.host, self.port = "127.0.0.1", free_ports(1)[0]
        self.bridges = {name: "bridge-" + os.urandom(12).hex() for name in bridge_names(BRIDGES)}
        self.password = self.bridges[BRIDGE_USER]
        self._folder = folder
        self._locks: dict[str, str] = {}
        write_passwords(folder, bridges=self.bridges, locks=[])
        configuration = write_configuration(folder, self.port, bridges=self.bridges)
        self._log = open(folder / "log", "wb")  # closed in close()
        self._program = [program, "-c", str(configuration)]
        self._server = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        server = subprocess.Popen(self._program, stdout=self._log, stderr=self._log)
        for _ in range(200):
            if server.poll() is not None:
                raise RuntimeError(f"Mosquitto ended while starting: {self.log()}")
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return server
            except ConnectionRefusedError:
                wait_for(server, 0.02)
        raise RuntimeError(f"Mosquitto did not start: {self.log()}")

    def add_lock(self, lock_id: str, password: str) -> None:
        """Give a lock an account, as an installation does when a lock is added."""
        self.add_hashes({lock_id: hash_password(password)})

    def add_hashes(self, hashes: Mapping[str, str]) -> None:
        """Give locks accounts by the password hashes of their manifests."""
        self._locks.update(hashes)
        write_passwords(self._folder, bridges=self.bridges, locks=self._locks.items())
        assert reload_broker(self._folder)
        # It reads the file when it gets to it: an account made for this question tells when.
        probe, password = f"probe-{os.urandom(6).hex()}", os.urandom(12).hex()
        locks = [*self._locks.items(), (probe, hash_password(password))]
        write_passwords(self._folder, bridges=self.bridges, locks=locks)
        for _ in range(200):
            reload_broker(self._folder)
            if can_log_in(self.port, probe, password):
                return
            wait_for(self._server, 0.02)
        raise RuntimeError(f"Mosquitto did not read its passwords again: {self.log()}")

    def restart(self, *, wipe: bool = False) -> None:
        """Kill the broker and start it again; with `wipe` its store is lost."""
        self._server.kill()
        self._server.wait()
        if wipe:
            shutil.rmtree(self._folder / "store")
            (self._folder / "store").mkdir()
        self._server = self._start()

    def log(self) -> str:
        """What the broker has said."""
        return (self._folder / "log").read_text()

    def close(self) -> None:
        """End the broker."""
        self._server.terminate()
        self._server.wait(10)
        self._log.close()


def can_log_in(port: int, user: str, password: str) -> bool:
    """Whether the broker takes this account: one CONNECT of MQTT 3.1.1, written out, and its CONNACK."""
    fields = [b"MQTT", user.encode(), user.encode(), password.encode()]
    protocol, client, name, secret = (len(field).to_bytes(2, "big") + field for field in fields)
    body = protocol + bytes([4, 0b11000010, 0, 30]) + client + name + secret
    assert len(body) < 128
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(bytes([0x10, len(body)]) + body)
        answer = connection.recv(4)
        connection.sendall(bytes([0xE0, 0]))
    return answer == bytes([0x20, 2, 0, 0])


def wait_for(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process ends within `seconds`."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
