"""The registry as its own process with mutual TLS: who comes in, who does not, and what each is told."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from backend.gateways.registry_client import HttpRegistryClient, RegistryRefused, RegistryUnavailable
from backend.registry.faults import Faults
from backend.registry.serving import gunicorn_command
from backend.registry.settings import RegistrySettings, SettingsRefused
from tests.registry.certificates import Authority, Pair
from tests.registry.stage import Signer, Stage

TOP = Path(__file__).resolve().parents[2]


@dataclass
class Served:
    """A registry's process, its port, and the authority that both sides trust."""

    port: int
    authority: Authority
    stranger: Authority
    stage: Stage
    ours: Pair
    made: list[HttpRegistryClient]

    def client(
        self, pair: Pair | None = None, *, ca: str = "", host: str = "127.0.0.1", signer: Signer | None = None
    ) -> HttpRegistryClient:
        """A caller with a certificate."""
        mine = pair or self.ours
        client = HttpRegistryClient(
            f"https://{host}:{self.port}",
            signer or self.stage.signer,
            self.stage.settings.public_keys,
            client_cert=mine.cert,
            client_key=mine.key,
            ca=ca or self.authority.ca,
        )
        self.made.append(client)
        return client


@pytest.fixture(scope="module")
def served(registry_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    shutil.copytree(registry_template, folder / "var")
    authority, stranger = Authority(folder, "ours"), Authority(folder, "strangers")
    server = authority.issue("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Stage(folder / "var") as stage:
        environment = {
            **os.environ,
            "ANJU_DEMO": "1",  # opens the switches; TLS is served all the same
            "ANJU_REGISTRY_VAR": str(folder / "var"),
            "ANJU_REGISTRY_PORT": str(port),
            "ANJU_REGISTRY_TLS_CERT": server.cert,
            "ANJU_REGISTRY_TLS_KEY": server.key,
            "ANJU_REGISTRY_CLIENT_CA": authority.ca,
        }
        command = [sys.executable, "-m", "backend.registry", "serve"]
        with subprocess.Popen(command, cwd=TOP, env=environment, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for line in process.stderr:  # gunicorn says when its worker is there
                if "Booting worker" in line:
                    break
            yield (made := Served(port, authority, stranger, stage, authority.issue("client"), []))
            for client in made.made:
                client.close()
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
            assert process.wait(20) == 0


def reason_of(client: HttpRegistryClient) -> str:
    with pytest.raises(RegistryUnavailable) as caught:
        client.changes("0")
    return caught.value.reason


def test_a_caller_with_a_certificate_of_the_authority_is_answered(served: Served) -> None:
    assert served.client().changes("0") == ([], "0")


def test_a_certificate_out_of_date_is_refused_in_words(served: Served) -> None:
    old = served.authority.issue("old", days=-1)
    with pytest.raises(RegistryRefused) as caught:
        served.client(old).changes("0")
    assert (caught.value.status, caught.value.code) == (401, "1002")
    assert caught.value.errors[0].pointer == "/certificate"


def test_a_caller_of_another_authority_or_without_certificate_gets_no_line(served: Served) -> None:
    # the refusal may be overtaken by the end of the line, which then says nothing more
    assert reason_of(served.client(served.stranger.issue("other"))) in ("tls_refused", "connect")
    assert reason_of(served.client(Pair("", ""))) in ("tls_refused", "connect")


def test_a_registry_of_an_authority_we_do_not_know_is_told_nothing(served: Served) -> None:
    assert reason_of(served.client(ca=served.stranger.ca)) == "tls_untrusted"


def test_a_registry_that_is_another_host_is_told_nothing(served: Served) -> None:
    assert reason_of(served.client(host="localhost")) == "tls_wrong_host"


def test_a_signature_is_needed_beside_the_certificate(served: Served) -> None:
    with pytest.raises(RegistryRefused, match="1001"):
        served.client(signer=Signer()).changes("0")


def test_a_broken_chain_is_switched_while_it_runs(served: Served) -> None:
    faults = Faults(served.stage.registry.database)
    faults.switch_on("broken_chain", {})
    assert reason_of(served.client()) == "tls_untrusted"
    faults.switch_off("broken_chain")
    assert served.client().changes("0") == ([], "0")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"demo": False}, "outside the demo"),
        ({"demo": False, "tls_cert": "here", "tls_key": "here"}, "ANJU_REGISTRY_CLIENT_CA"),
        ({"tls_cert": "here"}, "ANJU_REGISTRY_TLS_KEY, ANJU_REGISTRY_CLIENT_CA"),
        ({"tls_cert": "here", "tls_key": "gone", "client_ca": "here"}, "ANJU_REGISTRY_TLS_KEY: there is no file"),
        ({"demo": False, "tls_cert": "here", "tls_key": "here", "client_ca": "here", "switches": True}, "_SWITCHES"),
    ],
)
def test_the_registry_does_not_start_half_protected(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    (tmp_path / "here").touch()
    placed = {name: str(tmp_path / value) if isinstance(value, str) else value for name, value in given.items()}
    settings = replace(RegistrySettings(tmp_path, tmp_path / "senders.json"), **placed)
    with pytest.raises(SettingsRefused, match=words):
        gunicorn_command(settings)


def test_the_process_says_in_a_sentence_why_it_does_not_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANJU_")}
    done = subprocess.run(
        [sys.executable, "-m", "backend.registry", "serve"],
        cwd=TOP,
        env={**environment, "ANJU_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "ANJU_REGISTRY_TLS_CERT" in done.stderr and "mutual TLS" in done.stderr
