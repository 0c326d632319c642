"""Settings of the core's processes: the only reader of the environment.

`Settings.from_environment()` is called once per process by backend.bootstrap; everything else receives the frozen
value. Each field below is a row of the README's settings table (a test compares them).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

# Limits of the face thresholds; the measured table stands at domain.faces.FacePolicy. Beyond .45 up to 12 of 100
# strangers of one population would match without a person looking; the library's own default lies above the last.
_SAME_PICTURE, _MATCH_CEILING, _REVIEW_CEILING = 0.15, 0.45, 0.58
MOST_BRIDGES = 16


class SettingsError(Exception):
    """A setting is missing or unusable; the message names the variable and what to do."""


@dataclass(frozen=True)
class Settings:
    """All settings; the variable of field `x` is `ANJU_X`."""

    var: Path = Path("var")
    demo: bool = False
    handler_zh: str = ""
    handler_en: str = ""
    handler_contact: str = ""
    database_url: str = ""
    mobile_port: int = 8000
    console_port: int = 8001
    registry_port: int = 8002
    sim_port: int = 8003
    bridge_name: str = "anju-bridge-1"
    bridges: int = 1
    bridge_health_port: int = 8004
    worker_health_port: int = 8005
    netid_port: int = 8006
    offices_port: int = 8007
    subscribers_port: int = 8008
    lan_address: str = ""
    lan_page_port: int = 8009
    broker_host: str = "127.0.0.1"
    broker_port: int = 1883
    registry_url: str = "http://127.0.0.1:8002"
    registry_client_cert: str = ""
    registry_client_key: str = ""
    registry_ca: str = ""
    registry_keys: str = ""
    mobile_url: str = "http://127.0.0.1:8000"
    console_url: str = ""
    cookie_secure: bool = True
    authority_url: str = ""
    authority_token: str = ""
    authority_client_cert: str = ""
    authority_client_key: str = ""
    authority_ca: str = ""
    netid_url: str = ""
    netid_client_cert: str = ""
    netid_client_key: str = ""
    netid_ca: str = ""
    offices_client_cert: str = ""
    offices_client_key: str = ""
    offices_ca: str = ""
    sms_url: str = ""
    sms_token: str = ""
    face_workers: int = 1
    face_match_at_most: float = 0.40
    face_review_at_most: float = 0.55
    key_days_occupant: int = 7
    key_outage_grace_days: int = 30
    draft_days: int = 15
    attestation_review_hours: int = 72
    window_hours: str = "08:30-11:30,14:00-17:30"
    slot_minutes: int = 30
    slot_places: int = 2
    slot_days: int = 5
    invitation_days: int = 7
    door_event_days: int = 30
    person_reads_per_day: int = 30
    person_reads_by_role: str = "grid_worker=20,window_clerk=60"
    letters_per_day: int = 200
    officer_idle_minutes: int = 10
    print_font: str = ""
    area_per_head_m2: float = 5.0
    persons_per_room: int = 2
    identity_days: int = 30
    log_level: str = "INFO"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from ANJU_* variables.

        Raises SettingsError when a value is of the wrong kind or the combination is unsafe outside the demo.
        """
        source = os.environ if environment is None else environment
        values: dict[str, object] = {}
        for field in fields(cls):
            text = source.get(f"ANJU_{field.name.upper()}")
            if text is not None and text != "":
                values[field.name] = _parse(field.name, str(field.type), text)
        # The demo speaks http, and a browser keeps Secure cookies to itself there.
        values.setdefault("cookie_secure", not values.get("demo", False))
        settings = cls(**values)  # type: ignore[arg-type]
        if not settings.database_url:
            path = (settings.var / "anju.db").resolve()
            settings = _replace(settings, database_url=f"sqlite:///{path}")
        if not settings.console_url:
            settings = _replace(settings, console_url=f"http://localhost:{settings.console_port}")
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what must not run: raises SettingsError outside the demo when an outside part has no real address."""
        if not 1 <= self.bridges <= MOST_BRIDGES:
            raise SettingsError(f"ANJU_BRIDGES must be 1 to {MOST_BRIDGES}: there are as many shards to share.")
        if re.fullmatch(r"anju-bridge-([1-9]|1[0-6])", self.bridge_name) is None:
            raise SettingsError(f"ANJU_BRIDGE_NAME must be anju-bridge-1 to anju-bridge-{MOST_BRIDGES}.")
        if self.face_review_at_most <= self.face_match_at_most:
            raise SettingsError("ANJU_FACE_REVIEW_AT_MOST must be greater than ANJU_FACE_MATCH_AT_MOST.")
        if not _SAME_PICTURE < self.face_match_at_most <= _MATCH_CEILING or self.face_review_at_most > _REVIEW_CEILING:
            raise SettingsError(
                f"ANJU_FACE_MATCH_AT_MOST must lie above {_SAME_PICTURE} and be at most {_MATCH_CEILING}, "
                f"ANJU_FACE_REVIEW_AT_MOST at most {_REVIEW_CEILING}: beyond, the engine takes strangers for one "
                "person (README, identity check)."
            )
        if not (5 <= self.slot_minutes <= 240 and 1 <= self.slot_places <= 50 and 1 <= self.slot_days <= 20):
            raise SettingsError(
                "ANJU_SLOT_MINUTES must lie in 5-240, ANJU_SLOT_PLACES in 1-50, ANJU_SLOT_DAYS in 1-20."
            )
        if not 1 <= self.officer_idle_minutes <= 30:
            raise SettingsError("ANJU_OFFICER_IDLE_MINUTES must lie in 1-30.")
        if not 1 <= self.area_per_head_m2 <= 50:
            raise SettingsError("ANJU_AREA_PER_HEAD_M2 must lie in 1-50 square metres.")
        if not 1 <= self.persons_per_room <= 10:
            raise SettingsError("ANJU_PERSONS_PER_ROOM must lie in 1-10.")
        if not 1 <= self.identity_days <= 365:
            raise SettingsError("ANJU_IDENTITY_DAYS must lie in 1-365.")
        if self.demo:
            return
        if self.lan_address:
            raise SettingsError("ANJU_LAN_ADDRESS is for the demo alone: its certificates are made on the spot.")
        if not (self.handler_zh and self.handler_en and self.handler_contact):
            raise SettingsError(
                "ANJU_HANDLER_ZH, ANJU_HANDLER_EN and ANJU_HANDLER_CONTACT must all be set: the notice names the "
                "office that answers for the data, and how to reach it (PIPL-17)."
            )
        if not self.sms_url:
            raise SettingsError(
                "ANJU_SMS_URL is missing: outside the demo phone codes go through a real SMS gateway. "
                "Set it, or set ANJU_DEMO=1 to try Anju with codes shown on a page."
            )
        if not self.authority_url.startswith("https://"):
            raise SettingsError(
                "ANJU_AUTHORITY_URL must be the https address of the population base: outside the demo names and "
                "numbers are checked by the real authority."
            )
        if not self.registry_url.startswith("https://"):
            raise SettingsError("ANJU_REGISTRY_URL must begin with https:// outside the demo.")
        if not (self.registry_client_cert and self.registry_client_key):
            raise SettingsError(
                "ANJU_REGISTRY_CLIENT_CERT and ANJU_REGISTRY_CLIENT_KEY are missing: outside the demo the registry "
                "asks for our certificate (mutual TLS)."
            )
        if self.netid_url and not self.netid_url.startswith("https://"):
            raise SettingsError("ANJU_NETID_URL must begin with https:// outside the demo, or be left out.")
        if not self.cookie_secure:
            raise SettingsError("ANJU_COOKIE_SECURE must stay 1 outside the demo.")

    @property
    def keys_folder(self) -> Path:
        """Folder of private keys and the key ring; kept apart from the database and its backups."""
        return self.var / "keys"

    @property
    def run_folder(self) -> Path:
        """Folder of process states and wake-up sockets."""
        return self.var / "run"


def bridge_password_file(keys_folder: Path, name: str) -> Path:
    """Where the bridge `name` (anju-bridge-1, anju-bridge-2 …) finds its password for the broker."""
    number = name.rpartition("-")[2]
    return keys_folder / ("bridge-mqtt-password" if number == "1" else f"bridge-mqtt-password-{number}")


def _replace(settings: Settings, **changes: object) -> Settings:
    from dataclasses import replace

    return replace(settings, **changes)  # type: ignore[arg-type]


def _parse(name: str, kind: str, text: str) -> object:
    try:
        if kind == "bool":
            return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}[text.lower()]
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "Path":
            return Path(text)
    except (ValueError, KeyError):
        raise SettingsError(f"ANJU_{name.upper()} = {text!r} is not a {kind}.") from None
    return text
