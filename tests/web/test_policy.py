"""The one written policy: deny by default, both directions held, errors with reasons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from psycopg.errors import AdminShutdown, DeadlockDetected
from sqlalchemy.exc import IntegrityError, OperationalError

from backend.domain.reasons import KINDS
from backend.domain.refusals import Refusal, Refused
from backend.web import STATUS, Caller, PolicyError, Rule, decide_call, load_policy, open_door


def rule(*who: str, purpose: bool = False) -> Rule:
    return Rule(tuple(who), purpose=purpose)


@pytest.mark.parametrize(
    ("needed", "caller", "code"),
    [
        (rule("anyone"), Caller(), None),
        (rule("resident"), Caller(), "unauthenticated"),
        (rule("resident"), Caller("resident", "a"), None),
        (rule("resident"), Caller("staff", role="officer"), "forbidden"),
        (rule("staff"), Caller("resident", "a"), "forbidden"),
        (rule("staff"), Caller("staff", role="auditor"), None),
        (rule("officer"), Caller("staff", role="auditor"), "forbidden"),
        (rule("officer", purpose=True), Caller("staff", role="officer"), "purpose.missing"),
        (rule("officer", purpose=True), Caller("staff", role="officer", purpose="visit"), None),
        (rule(), Caller("staff", role="supervisor"), "forbidden"),
        (rule("staff", "officer"), Caller("locked", role="officer"), "session.locked"),
        (rule("anyone"), Caller("locked", role="officer"), None),
        (rule("staff", "locked"), Caller("locked", role="officer"), None),
    ],
)
def test_a_call_is_allowed_only_where_a_row_says_so(needed: Rule, caller: Caller, code: str | None) -> None:
    refusal = decide_call(needed, caller)
    assert (refusal.code if refusal else None) == code


def test_every_kind_of_reason_has_a_status() -> None:
    assert set(STATUS) == set(KINDS)


def test_a_route_without_a_row_stops_the_start() -> None:
    app = Flask("door", static_folder=None)
    app.add_url_rule("/new", endpoint="new.route", view_func=lambda: "x")
    with pytest.raises(PolicyError, match="new.route"):
        open_door(app, "mobile", Caller, lambda *_: "")


def test_every_row_names_known_callers() -> None:
    from backend.models.officers import ROLES

    known = {"anyone", "resident", "staff", "locked", "office", *ROLES}
    for (endpoint, _method), row in load_policy().items():
        assert set(row.who) <= known, endpoint
        assert row.who, f"{endpoint}: a row for nobody is a route to remove"


def make_door(view: Any) -> Any:
    app = Flask("door", static_folder=None)
    app.add_url_rule("/api/thing", endpoint="thing", view_func=view)
    rows = {("mobile.thing", "GET"): rule("anyone")}
    open_door(app, "mobile", Caller, lambda status, refusals, _id: f"page {status} {refusals[0].code}", rows)
    return app.test_client()


def test_a_refusal_under_the_api_is_problem_json_with_field_rule_and_remedy() -> None:
    def view() -> str:
        raise Refused.of([Refusal("unit.space", "space_kind", allowed=("bedroom",)), Refusal("unit.area", "area")])

    answer = make_door(view).get("/api/thing", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    body = answer.get_json()
    assert (body["code"], body["field"], body["rule"]) == ("unit.space", "space_kind", "HR-7")
    assert body["allowed"] == ["bedroom"]
    assert body["remedy"]
    assert [error["pointer"] for error in body["errors"]] == ["/space_kind", "/area"]
    assert body["request_id"] == answer.headers["X-Request-Id"]


def test_an_unexpected_error_says_nothing_of_its_text(
    capsys: pytest.CaptureFixture[str], product_log: Callable[..., None]
) -> None:
    product_log("mobile")

    def view() -> str:
        raise ValueError("330522199001010001")

    answer = make_door(view).get("/api/thing")
    assert answer.status_code == 500
    out = capsys.readouterr()
    assert "330522199001010001" not in answer.get_data(as_text=True) + out.out + out.err
    assert "ValueError" in out.out + out.err


@pytest.mark.parametrize(("error", "status", "code"), [
    (IntegrityError("INSERT", {"id": "330522199001010001"}, Exception("DETAIL 330522199001010001")), 409, "stale"),
    (OperationalError("UPDATE", {"id": "330522199001010001"}, DeadlockDetected("330522199001010001")), 409, "stale"),
    (OperationalError("UPDATE", {"id": "330522199001010001"}, AdminShutdown("330522199001010001")), 500, "failure"),
])  # fmt: skip
def test_two_writers_at_one_instant_are_a_conflict_and_no_value_is_told(
    capsys: pytest.CaptureFixture[str], product_log: Callable[..., None], error: Exception, status: int, code: str
) -> None:
    product_log("mobile")

    def view() -> str:
        raise error

    answer = make_door(view).get("/api/thing")
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    out = capsys.readouterr()
    assert "330522199001010001" not in answer.get_data(as_text=True) + out.out + out.err


def test_a_missing_page_is_the_doors_own_page_and_headers_are_strict() -> None:
    answer = make_door(lambda: "x").get("/nowhere")
    assert (answer.status_code, answer.get_data(as_text=True)) == (404, "page 404 not_found")
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
