"""Settings of the stand-in: the only reader of its environment (ANJU_REGISTRY_*)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsRefused(Exception):
    """The registry will not run like this; the text says which setting is missing."""


@dataclass(frozen=True)
class RegistrySettings:
    """All settings of the registry's process.

    `folder` holds its database and its signing key, `senders` is the JWKS file with the keys of those who may report,
    `database_url` is empty for SQLite in `folder`, `switches` opens /_sim, where failures are switched on.
    `tls_cert` and `tls_key` are what the registry shows, `client_ca` signs the certificates of those who may call;
    only the demo runs without them. `host`, `port` and `workers` are for `python -m backend.registry serve`.
    """

    folder: Path
    senders: Path
    database_url: str = ""
    switches: bool = False
    demo: bool = True
    tls_cert: str = ""
    tls_key: str = ""
    client_ca: str = ""
    host: str = "127.0.0.1"
    port: int = 8002
    workers: int = 1

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> RegistrySettings:
        """Read ANJU_REGISTRY_VAR, _SENDERS, _DATABASE_URL, _SWITCHES, _TLS_CERT, _TLS_KEY, _CLIENT_CA, _HOST, _PORT and
        _WORKERS; ANJU_VAR and ANJU_DEMO are the defaults of the first and of _SWITCHES."""
        source = os.environ if environment is None else environment
        var = Path(source.get("ANJU_REGISTRY_VAR") or source.get("ANJU_VAR") or "var").resolve()
        demo = source.get("ANJU_DEMO") or "0"
        return cls(
            folder=var / "registry",
            senders=Path(source.get("ANJU_REGISTRY_SENDERS") or var / "keys" / "platform.jwks.json"),
            database_url=source.get("ANJU_REGISTRY_DATABASE_URL", ""),
            switches=(source.get("ANJU_REGISTRY_SWITCHES") or demo) == "1",
            demo=demo == "1",
            tls_cert=source.get("ANJU_REGISTRY_TLS_CERT", ""),
            tls_key=source.get("ANJU_REGISTRY_TLS_KEY", ""),
            client_ca=source.get("ANJU_REGISTRY_CLIENT_CA", ""),
            host=source.get("ANJU_REGISTRY_HOST") or "127.0.0.1",
            port=_whole(source, "ANJU_REGISTRY_PORT", 8002, 65_535),
            workers=_whole(source, "ANJU_REGISTRY_WORKERS", 1, 64),
        )

    def refuse_unsafe(self) -> None:
        """Raise SettingsRefused for half a TLS setting, and outside the demo for none, or for open switches."""
        given = {
            "ANJU_REGISTRY_TLS_CERT": self.tls_cert,
            "ANJU_REGISTRY_TLS_KEY": self.tls_key,
            "ANJU_REGISTRY_CLIENT_CA": self.client_ca,
        }
        missing = [name for name, value in given.items() if not value]
        if missing and (not self.demo or len(missing) < len(given)):
            where = "together" if self.demo else "outside the demo: the registry speaks only mutual TLS there"
            raise SettingsRefused(f"{', '.join(missing)} must be set {where}.")
        for name, value in given.items():
            if value and not Path(value).is_file():
                raise SettingsRefused(f"{name}: there is no file {value}.")
        if self.switches and not self.demo:
            raise SettingsRefused("ANJU_REGISTRY_SWITCHES=1 is for the demo and for tests only.")

    @property
    def serves_tls(self) -> bool:
        """Whether callers must come with a certificate."""
        return bool(self.tls_cert)

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.folder / 'registry.db'}"

    @property
    def public_keys(self) -> Path:
        """Where the registry publishes the keys its receipts verify with."""
        return self.folder / "public.jwks.json"


def _whole(source: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = source.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise SettingsRefused(f"{name} must be a whole number from 1 to {most}.")
    return int(text)
