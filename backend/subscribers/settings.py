"""Settings of the stand-in offices: the only reader of their environment (ANJU_SUBSCRIBERS_*)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PORT, DOOR_PORT = "8008", "8007"


@dataclass(frozen=True)
class SubscriberSettings:
    """Where they keep their file and keys, whose deliveries they take, where they report to, whether they can fail."""

    folder: Path
    keys: Path
    platform_keys: Path
    door_url: str
    switches: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> SubscriberSettings:
        """Read ANJU_SUBSCRIBERS_FOLDER, _PLATFORM_KEYS, _DOOR_URL and _SWITCHES; ANJU_VAR, ANJU_OFFICES_PORT and
        ANJU_DEMO are the defaults. The offices' private keys lie in ANJU_VAR/offices."""
        source = os.environ if environment is None else environment
        var = Path(source.get("ANJU_VAR") or "var").resolve()
        door = f"http://127.0.0.1:{source.get('ANJU_OFFICES_PORT') or DOOR_PORT}"
        return cls(
            folder=Path(source.get("ANJU_SUBSCRIBERS_FOLDER") or var / "subscribers"),
            keys=var / "offices",
            platform_keys=Path(source.get("ANJU_SUBSCRIBERS_PLATFORM_KEYS") or var / "keys" / "platform.jwks.json"),
            door_url=(source.get("ANJU_SUBSCRIBERS_DOOR_URL") or door).rstrip("/"),
            switches=(source.get("ANJU_SUBSCRIBERS_SWITCHES") or source.get("ANJU_DEMO") or "0") == "1",
        )
