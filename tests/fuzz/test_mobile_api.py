"""The phone's API under made-up calls: signed in as landlord and as tenant, ids that exist, in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from flask import Flask

from backend.db import db
from mobile_api.app import create_mobile_app
from tests.fuzz.invention import Call, Tally, fuzz
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.stories import LANDLORD_PHONE, TENANT_PHONE


@pytest.fixture
def mobile(settings: Any, world: Any) -> Iterator[Flask]:
    """The whole mobile app on the test's own database."""
    app = create_mobile_app(settings, world)
    yield app
    with app.app_context():
        db.engine.dispose()


def told(app: Flask, world: Any, factory: Callable[..., Any]) -> Any:
    """Play a story in a context of its own."""
    with app.app_context():
        try:
            return factory(world)
        finally:
            db.session.remove()


def run(app: Flask, world: Any, examples: int, seed: int = 1) -> Tally:
    story = told(app, world, stories.make_active)
    document = app.test_client().get("/api/v1/openapi.json").json
    assert isinstance(document, dict)
    ids = sorted({value for value in vars(story).values() if isinstance(value, str) and len(value) == 36})
    tokens = []
    for number in (LANDLORD_PHONE, TENANT_PHONE):
        phone = ApiPhone(app, world)
        phone.sign_in(number)
        tokens.append(phone.token)

    def lead(case: schemathesis.Case, chance: random.Random) -> None:
        for name, value in (case.path_parameters or {}).items():
            if isinstance(value, str) and chance.random() < 0.8:
                fitting = [getattr(story, name, None)] if isinstance(getattr(story, name, None), str) else ids
                case.path_parameters[name] = chance.choice(fitting)

    def prepare(call: Call, chance: random.Random) -> Call:
        headers = {name: value for name, value in call.headers.items() if name.lower() != "authorization"}
        if headers.get("Idempotency-Key"):
            headers["Idempotency-Key"] = f"key-{chance.getrandbits(64):016x}"
        if chance.random() < 0.95:
            headers["Authorization"] = f"Bearer {chance.choice(tokens)}"
        return replace(call, headers=headers)

    tally = fuzz(app, document, examples=examples, seed=seed, prepare=prepare, lead=lead)
    assert tally.wrong == []
    assert max(tally.statuses) < 500
    assert len(tally.reached) >= 25  # not only refusals were seen
    return tally


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
def test_no_made_up_call_breaks_the_phones_api(mobile: Flask, world: Any) -> None:
    assert run(mobile, world, 3).calls >= 200


@pytest.mark.release
def test_no_call_of_thousands_breaks_the_phones_api(mobile: Flask, world: Any) -> None:
    assert run(mobile, world, 60, seed=20261123).calls >= 4_500
