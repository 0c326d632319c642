"""Settings of the simulator's process: the only reader of its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SimSettingsError(Exception):
    """A setting is unusable; the message names the variable."""


@dataclass(frozen=True)
class SimSettings:
    """Where the simulator listens, where the broker is, and where flash and keys lie."""

    var: Path = Path("var")
    sim_port: int = 8003
    sim_near_port: int = 8013
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883

    @property
    def flash_file(self) -> Path:
        """The flash of all locks."""
        return self.var / "sim" / "flash.db"

    @property
    def trust_file(self) -> Path:
        """The platform's public keys (JWKS) a lock leaves the factory with."""
        return self.var / "keys" / "platform.jwks.json"

    @property
    def pad_file(self) -> Path:
        """The platform's public key of the keypads (JWK); absent on an installation that has none yet."""
        return self.var / "keys" / "keypad.jwk.json"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> SimSettings:
        """Read ANJU_VAR, ANJU_SIM_PORT, ANJU_SIM_NEAR_PORT, ANJU_BROKER_HOST, ANJU_BROKER_PORT.

        Raises SimSettingsError when a port is not a number from 0 to 65535.
        """
        source = os.environ if environment is None else environment
        ports: dict[str, int] = {}
        for name in ("sim_port", "sim_near_port", "broker_port"):
            text = source.get(f"ANJU_{name.upper()}") or str(getattr(cls, name))
            if not text.isdigit() or int(text) > 65_535:
                raise SimSettingsError(f"ANJU_{name.upper()} = {text!r} is not a port")
            ports[name] = int(text)
        var = Path(source.get("ANJU_VAR") or cls.var)
        return cls(var=var, broker_host=source.get("ANJU_BROKER_HOST") or cls.broker_host, **ports)
