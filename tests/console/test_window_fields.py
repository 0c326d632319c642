"""What the forms at the window and at a door ask for: a place of household registration by two lists, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from backend.db import db
from backend.models.persons import Person
from tests.html_trees import read_tree
from tests.services import stories

Browser = Callable[..., Any]
Make = Callable[..., Any]


def serve(client: Any, **answers: str) -> str:
    """Begin to serve somebody at the window; answers the file's address."""
    sent = {"channel": "window", "document_seen": "yes", "name": "周来福", "id_type": "111",
            "id_number": stories.TENANT_NUMBER, **answers}  # fmt: skip
    return str(client.post("/window", data=sent).headers["Location"])


def test_the_place_is_asked_once_in_lists_and_must_be_given_with_an_identity_card(
    browser: Browser, make: Make, clock: Any
) -> None:
    story = make(stories.make_let_unit)
    client = browser("window_clerk", purpose="help_request")
    assert 'name="hukou_division"' not in client.get("/window").text
    file = serve(client)
    form = f"{file}/acts/declare_without_lease"
    page = client.get(f"{form}?unit_id={story.unit_id}").text
    field = next(f for f in read_tree(page).find_all("fieldset") if f.get("id") == "field-hukou_division")
    assert [each.get("name") for each in field.find_all("select")] == ["province", "hukou_division"]
    assert "可不填" not in page.split('id="field-hukou_division"')[1].split("</legend>")[0]
    client.post(f"{file}/acts/answer_consent", data={"given": "yes"})
    told = {"unit_id": story.unit_id, "basis": "oral", "move_in_on": (clock.today() - timedelta(days=2)).isoformat()}
    missing = client.post(form, data={**told, "province": "34"})
    assert missing.status_code == 422 and 'id="fault-hukou_division"' in missing.text
    assert '<option value="341882">' in missing.text, "the counties of the province chosen stay on offer"
    assert client.post(form, data={**told, "province": "34", "hukou_division": "341882"}).status_code == 302
    client.get(file)
    assert 'name="hukou_division"' not in client.get(f"{form}?unit_id={story.unit_id}").text, "it is known now"


def test_the_counties_of_a_province_are_options_and_a_code_that_is_none_is_not_found(browser: Browser) -> None:
    client = browser("grid_worker")
    assert '<option value="341882">' in client.get("/divisions/34").text
    assert client.get("/divisions/99").status_code == 404


def test_the_button_says_what_is_sent_not_the_title_again(browser: Browser, make: Make) -> None:
    client = browser("window_clerk", purpose="help_request")
    page = client.get(f"{serve(client)}/acts/answer_consent").text
    assert "记下本人的答复</button>" in page and "告知书和同意</button>" not in page


def test_nothing_can_be_said_about_a_person_in_the_place_of_a_nationality(
    browser: Browser, make: Make, world: Any
) -> None:
    said = "态度恶劣，邻居说他欠债"
    client = browser("window_clerk", purpose="help_request")
    serve(client, nationality=said)
    passport = {"channel": "window", "document_seen": "yes", "name": "ALEX SAMPLE", "id_type": "414",
                "id_number": "E12345678", "birth_on": "1990-01-01", "sex": "male"}  # fmt: skip
    refused = client.post("/window", data={**passport, "nationality": said})
    assert refused.status_code == 422 and 'id="fault-nationality"' in refused.text
    assert client.post("/window", data={**passport, "nationality": "deu"}).status_code == 302
    kept = make(lambda _: db.session.scalars(select(Person.nationality).order_by(Person.created_at)).all())
    assert sorted(kept) == ["CHN", "DEU"]
