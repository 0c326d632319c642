"""`./anju demo --lan`: which address, what changes in the environment and the process table, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from backend.config import Settings, SettingsError
from backend.journey import environment_of, journey_command
from backend.lan import DEFAULT_ROUTE, choose_address, lan_environment
from backend.processes import demo_environment, ports_of, process_table


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """A demo's environment on this machine's own address, as `--lan 127.0.0.1` makes it."""
    monkeypatch.setenv("ANJU_VAR", str(tmp_path / "var"))
    return demo_environment(lan="127.0.0.1")


@pytest.mark.parametrize("wish", ["8.8.8.8", "203.0.113.9"])
def test_an_address_of_the_open_internet_is_refused(wish: str) -> None:
    with pytest.raises(SettingsError, match="private"):
        choose_address(wish)


@pytest.mark.parametrize("wish", ["home", "fe80::1", "10.0.0"])
def test_what_is_no_ipv4_address_is_refused(wish: str) -> None:
    with pytest.raises(SettingsError, match="takes an IPv4 address"):
        choose_address(wish)


def test_another_machines_address_is_refused() -> None:
    with pytest.raises(SettingsError, match="no address of this machine"):
        choose_address("10.255.254.253")


def test_the_default_routes_address_is_this_machines_or_the_reason_is_told() -> None:
    try:
        assert choose_address(DEFAULT_ROUTE)
    except SettingsError as refusal:
        assert "./anju demo --lan ADDRESS" in str(refusal)


def test_doors_that_phones_open_speak_https_and_the_rest_stays_local(environment: Mapping[str, str]) -> None:
    settings = Settings.from_environment({**environment, "ANJU_LAN_ADDRESS": "10.0.0.7"})
    rows = {row.name: row for row in process_table(settings)}
    for name in ("mobile", "console", "netid"):
        command = rows[name].command
        assert f"--bind=127.0.0.1:{rows[name].port}" in command and f"--bind=10.0.0.7:{rows[name].port}" in command
        assert any(word.startswith("--certfile=") for word in command)
        assert rows[name].health.startswith("https://127.0.0.1:")
    for name in ("broker", "registry", "offices", "worker", "bridge", "locks"):
        assert not any("10.0.0.7" in word or "certfile" in word for word in rows[name].command), name
    assert rows["lan"].page == f"http://10.0.0.7:{settings.lan_page_port}/"
    assert "lan_page_port" in ports_of(settings, environment)


def test_links_and_cookies_are_those_of_the_network(environment: Mapping[str, str]) -> None:
    settings = Settings.from_environment(environment)
    assert settings.mobile_url == f"https://127.0.0.1:{settings.mobile_port}"
    assert settings.cookie_secure
    assert settings.netid_ca.endswith("keys/lan/ca.pem")
    assert settings.registry_url.startswith("http://127.0.0.1:"), "the registry stays local"


def test_without_it_nothing_listens_on_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANJU_VAR", str(tmp_path / "var"))
    settings = Settings.from_environment(demo_environment())
    table = process_table(settings)
    assert "lan" not in {row.name for row in table}
    binds = [word for row in table for word in row.command if word.startswith("--bind=")]
    assert binds and all(word.startswith("--bind=127.0.0.1:") for word in binds)


def test_it_is_for_the_demo_alone() -> None:
    settings = {
        "ANJU_LAN_ADDRESS": "10.0.0.7", "ANJU_SMS_URL": "https://sms.example", "ANJU_AUTHORITY_URL": "https://a.example",
    }  # fmt: skip
    with pytest.raises(SettingsError, match="ANJU_LAN_ADDRESS"):
        Settings.from_environment(settings)


def test_a_journey_beside_it_speaks_https_and_trusts_its_authority(environment: Mapping[str, str]) -> None:
    settings = Settings.from_environment(environment)
    addresses = lan_environment(settings) | {"ANJU_LAN_ADDRESS": "127.0.0.1"}
    reached = environment_of({"ports": ports_of(settings, environment), "addresses": addresses})
    assert reached["SSL_CERT_FILE"] == settings.netid_ca
    command = journey_command([], reached)
    assert f"--mobile=https://127.0.0.1:{settings.mobile_port}" in command
    assert f"--registry=http://127.0.0.1:{settings.registry_port}" in command
