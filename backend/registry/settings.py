"""Settings of the stand-in: the only reader of its environment (ANJU_REGISTRY_*)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RegistrySettings:
    """All settings of the registry's process.

    `folder` holds its database and its signing key, `senders` is the JWKS file with the keys of those who may report,
    `database_url` is empty for SQLite in `folder`, `switches` opens /_sim, where failures are switched on.
    """

    folder: Path
    senders: Path
    database_url: str = ""
    switches: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> RegistrySettings:
        """Read ANJU_REGISTRY_VAR, _SENDERS, _DATABASE_URL and _SWITCHES; ANJU_VAR and ANJU_DEMO are the defaults."""
        source = os.environ if environment is None else environment
        var = Path(source.get("ANJU_REGISTRY_VAR") or source.get("ANJU_VAR") or "var").resolve()
        switches = source.get("ANJU_REGISTRY_SWITCHES") or source.get("ANJU_DEMO") or "0"
        return cls(
            folder=var / "registry",
            senders=Path(source.get("ANJU_REGISTRY_SENDERS") or var / "keys" / "platform.jwks.json"),
            database_url=source.get("ANJU_REGISTRY_DATABASE_URL", ""),
            switches=switches == "1",
        )

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.folder / 'registry.db'}"

    @property
    def public_keys(self) -> Path:
        """Where the registry publishes the keys its receipts verify with."""
        return self.folder / "public.jwks.json"
