"""Settings of the stand-in: the only reader of its environment (ANJU_NETID_*)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PORT = "8006"


@dataclass(frozen=True)
class NetidSettings:
    """All settings of the process: who may ask (JWKS), where phones reach its page, whether it can be told to fail."""

    senders: Path
    public_url: str
    switches: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> NetidSettings:
        """Read ANJU_NETID_SENDERS, _PUBLIC_URL, _SWITCHES; ANJU_VAR, ANJU_NETID_PORT and ANJU_DEMO are the defaults."""
        source = os.environ if environment is None else environment
        var = Path(source.get("ANJU_VAR") or "var").resolve()
        local = f"http://127.0.0.1:{source.get('ANJU_NETID_PORT') or PORT}"
        return cls(
            senders=Path(source.get("ANJU_NETID_SENDERS") or var / "keys" / "platform.jwks.json"),
            public_url=(source.get("ANJU_NETID_PUBLIC_URL") or local).rstrip("/"),
            switches=(source.get("ANJU_NETID_SWITCHES") or source.get("ANJU_DEMO") or "0") == "1",
        )
