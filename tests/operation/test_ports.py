"""Ports: a taken one is named with its holder, free ones are different."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from backend.ports import free_ports, is_port_free, who_listens


def test_a_port_with_a_listener_is_taken_and_its_holder_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_port_free(port)
        if sys.platform == "linux":
            assert str(os.getpid()) in (who_listens(port) or "")
    assert is_port_free(port)
    assert who_listens(port) is None


def test_a_listener_on_all_addresses_takes_the_port_too() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not is_port_free(server.getsockname()[1])


@pytest.mark.parametrize("count", [0, 1, 7])
def test_free_ports_are_different_and_free(count: int) -> None:
    ports = free_ports(count)
    assert len(set(ports)) == count
    assert all(is_port_free(port) for port in ports)
