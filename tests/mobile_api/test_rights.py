"""One's rights over one's data through the API: looks and questions, a copy on paper, deleting and taking it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.services.office_names import name_office
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_access import look_at_unit
from tests.printing.pdf_words import PdfReader
from tests.services import stories
from tests.services.stories import TENANT_PHONE

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Phones = Callable[..., ApiPhone]
Make = Callable[..., Any]


def test_a_look_is_read_and_asked_about(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    make(name_office, zh="太湖派出所", en="Taihu police station")
    make(look_at_unit, story.unit_id)
    tenant = phone(TENANT_PHONE)
    look = tenant.get("/me/access-records").json["items"][0]
    assert (look["office"], look["office_en"], look["question"]) == ("太湖派出所", "Taihu police station", None)
    path = f"/me/access-records/{look['id']}"
    assert tenant.get(path).json == look
    asked = tenant.post(f"{path}/question", {"question": "why"})
    assert asked.status_code == 200 and asked.json["state"] == "routed"
    assert tenant.get(path).json["question"] == asked.json
    assert tenant.post(f"{path}/question", {"question": "wrong"}).json == asked.json
    assert tenant.post(f"{path}/question", {"question": "who"}).status_code == 422


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "安居保存的本人数据"), ("en", "What Anju holds about me")])
def test_ones_data_is_a_paper_in_the_language_asked_for(phone: Phones, make: Make, language: str, words: str) -> None:
    make(stories.make_active)
    answer = phone(TENANT_PHONE).get("/me/data.pdf", headers={"Accept-Language": language})
    assert answer.mimetype == "application/pdf"
    assert words in "".join(line.text for line in PdfReader(answer.data).lines())


def test_deleting_is_asked_for_and_taken_back(phone: Phones, make: Make) -> None:
    story = make(stories.make_active)
    tenant = phone(TENANT_PHONE)
    before = tenant.get("/me/erasure").json
    assert before["asked_at"] is None and before["goes_at"] is None
    assert before["waits"] == [{"what": "home", "until": None, "place": "陈塘路1号 101室"}]
    asked = tenant.put("/me/erasure", None).json
    assert asked["asked_at"] is not None and tenant.put("/me/erasure", None).json == asked
    assert tenant.delete("/me/erasure").json == before
    assert tenant.get(f"/registrations/{story.registration_id}").json["registration"]["residence"] == "living"
