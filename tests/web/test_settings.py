"""Settings refuse what must not run, in words."""

from __future__ import annotations

import pytest

from backend.config import Settings, SettingsError

REAL = {
    "ANJU_HANDLER_ZH": "某街道办事处",
    "ANJU_HANDLER_EN": "A subdistrict office",
    "ANJU_HANDLER_CONTACT": "0572-0000001",
    "ANJU_SMS_URL": "https://sms.example/send",
    "ANJU_REGISTRY_URL": "https://registry.example",
    "ANJU_REGISTRY_CLIENT_CERT": "/etc/anju/registry.pem",
    "ANJU_REGISTRY_CLIENT_KEY": "/etc/anju/registry.key",
    "ANJU_AUTHORITY_URL": "https://authority.example/check",
}


def test_an_installation_with_real_offices_runs() -> None:
    settings = Settings.from_environment(REAL)
    assert settings.cookie_secure
    assert not settings.demo


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ANJU_HANDLER_ZH": ""}, "ANJU_HANDLER_ZH"),
        ({"ANJU_HANDLER_CONTACT": ""}, "ANJU_HANDLER_CONTACT"),
        ({"ANJU_SMS_URL": ""}, "ANJU_SMS_URL"),
        ({"ANJU_REGISTRY_URL": "http://registry.example"}, "ANJU_REGISTRY_URL"),
        ({"ANJU_REGISTRY_CLIENT_KEY": ""}, "ANJU_REGISTRY_CLIENT_KEY"),
        ({"ANJU_AUTHORITY_URL": ""}, "ANJU_AUTHORITY_URL"),
        ({"ANJU_COOKIE_SECURE": "0"}, "ANJU_COOKIE_SECURE"),
        ({"ANJU_MOBILE_PORT": "eighty"}, "ANJU_MOBILE_PORT"),
        ({"ANJU_DEMO": "perhaps"}, "ANJU_DEMO"),
        ({"ANJU_BRIDGES": "0"}, "ANJU_BRIDGES"),
        ({"ANJU_BRIDGES": "17"}, "ANJU_BRIDGES"),
        ({"ANJU_BRIDGE_NAME": "bridge"}, "ANJU_BRIDGE_NAME"),
        ({"ANJU_FACE_REVIEW_AT_MOST": "0.3"}, "ANJU_FACE_REVIEW_AT_MOST"),
        ({"ANJU_FACE_REVIEW_AT_MOST": "0.6"}, "ANJU_FACE_REVIEW_AT_MOST"),
        ({"ANJU_FACE_MATCH_AT_MOST": "0.5"}, "ANJU_FACE_MATCH_AT_MOST"),
        ({"ANJU_FACE_MATCH_AT_MOST": "0.1"}, "ANJU_FACE_MATCH_AT_MOST"),
    ],
)
def test_what_must_not_run_is_refused_naming_the_setting(changes: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        Settings.from_environment({**REAL, **changes})


def test_the_demo_needs_nothing_else() -> None:
    settings = Settings.from_environment({"ANJU_DEMO": "1"})
    assert settings.database_url.startswith("sqlite:///")
    assert not settings.cookie_secure
