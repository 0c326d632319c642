"""Importing a list of tenancies by the API and on the pages; the worker's pass is made by hand."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from backend.domain.tenancy_rows import LEASE_COLUMNS, LEASE_DATES, LEASE_REQUIRED
from backend.gateways.table_files import read_table
from backend.services.import_work import work_on_imports
from backend.services.messages import send_due_messages
from backend.services.turns import TurnHolder
from tests.mobile_api.page_phones import CHINESE, ORIGIN, Page, PagePhone
from tests.mobile_api.phones import ApiPhone
from tests.services import stories
from tests.services.test_lease_imports import HEAD, SECOND, line
from tests.services.test_own_imports import CONTENT

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)

Make = Callable[..., Any]
KEY = "import-key-0001"


def work(world: Any) -> int:
    turn = TurnHolder(world, "imports")
    try:
        return work_on_imports(world, turn)
    finally:
        turn.give_up()


def send(phone: ApiPhone, content: bytes, key: str = KEY) -> Any:
    # In memory: for a large form the client would open a file and leave it to the garbage.
    boundary, body = encode_multipart({"file": FileStorage(io.BytesIO(content), "租客.csv", "file", "text/csv")})
    kind = f"multipart/form-data; boundary={boundary}"
    return phone.call("POST", "/imports", data=body, content_type=kind, headers={"Idempotency-Key": key})


def upload(phone: PagePhone, content: bytes) -> Page:
    form = phone.get("/l/import").form("上传并检查")
    data = {**form.values, "file": (io.BytesIO(content), "租客<b>.csv")}
    return Page(phone.client.post(form.action, data=data, base_url=ORIGIN, follow_redirects=True))


def test_a_list_goes_through_the_api_from_upload_to_links(phone: Any, make: Make) -> None:
    make(stories.make_let_unit)
    mine, other = phone(stories.LANDLORD_PHONE), phone("+8619900009002")
    answer = send(mine, CONTENT)
    assert answer.status_code == 202 and answer.json["state"] == "checking"
    path = answer.headers["Location"].removeprefix("/api/v1")
    assert send(mine, CONTENT).json["id"] == answer.json["id"]
    assert send(mine, CONTENT + line().encode()).json["code"] == "input.key_reused"
    assert mine.post(f"{path}/start").json["code"] == "import.not_ready"
    assert make(work) == 1
    assert mine.get(path).json["state"] == "ready"
    page = mine.get(f"{path}/rows?limit=1").json
    assert page["rows"][0]["outcome"] == "new" and page["next"] == 2
    failed = mine.get(f"{path}/rows?outcome=failed").json["rows"]
    assert [(row["row"], row["errors"][0]["code"]) for row in failed] == [(3, "import.overlap_row")]
    for call in (lambda: other.get(path), lambda: other.get(f"{path}/rows"), lambda: other.post(f"{path}/start"),
                 lambda: other.delete(path)):  # fmt: skip
        assert call().status_code == 404
    assert mine.post(f"{path}/start", {"send_invitations": True}).status_code == 202
    make(work)
    assert mine.get(path).json["state"] == "done" and mine.get("/imports").json[0]["counts"]["new"] == 1
    lease_id = mine.get(f"{path}/rows").json["rows"][0]["lease_id"]
    assert mine.get(f"/leases/{lease_id}").json["invitation"]["state"] == "pending"
    assert mine.delete(path).json["code"] == "import.finished"
    taken_back = send(mine, HEAD.encode() + line(SECOND).encode(), "import-key-0002").json["id"]
    assert mine.delete(f"/imports/{taken_back}").status_code == 204
    assert mine.get(f"/imports/{taken_back}").json["state"] == "stopped"


def test_a_file_of_no_use_gets_a_sentence(phone: Any, make: Make) -> None:
    make(stories.make_let_unit)
    mine = phone(stories.LANDLORD_PHONE)
    for content, status, code in (
        (b"a,b\n1,2\n", 422, "table.no_header"), (b"PK\x03\x04", 422, "table.broken"), (b"", 422, "input.missing"),
        (b"x" * (2 * 1024**2 + 1), 413, "table.too_large"), (b"x" * 4 * 1024**2, 413, "input.too_large"),
    ):  # fmt: skip
        answer = send(mine, content)
        assert (answer.status_code, answer.json["code"]) == (status, code)
    assert (
        mine.call("POST", "/imports", data={"file": "text"}, content_type="multipart/form-data").json["code"]
        == "input.wrong_type"
    )
    assert send(phone("+8619900009002"), CONTENT).json["code"] == "landlord.unidentified"


@pytest.mark.parametrize(("language", "start"), [("zh", "开始导入"), ("en", "Start the import")])
def test_the_pages_lead_from_the_list_to_the_links(browser: Any, make: Make, language: str, start: str) -> None:
    make(stories.make_let_unit)
    mine = browser(stories.LANDLORD_PHONE)
    page = upload(mine, CONTENT)
    mine.client.set_cookie("anju-lang", language)
    assert "data-live" in page.html and page.reader.forms and not [
        form for form in mine.get(page.path).reader.forms if form.action.endswith("/start")
    ]
    make(work)
    ready = mine.get(page.path)
    assert language == "zh" or not [word for word in ready.reader.words if CHINESE.search(word)]
    assert "<b>.csv" not in ready.html and stories.TENANT_NUMBER not in ready.html
    assert ready.form(start).values.get("send_invitations") is None, "nothing is ticked beforehand"
    mine.press(ready, start)
    make(work)
    done = mine.get(f"{page.path}?show=all")
    [share] = [link for link in done.reader.links if link.endswith("/share")]
    assert "/i/" in mine.get(share).text
    home = mine.get("/l/import")
    assert page.path in home.reader.links and "/l/import" in mine.get("/l/").reader.links
    assert language == "zh" or not [word for word in home.reader.words if CHINESE.search(word)]


def test_a_wrong_file_is_said_at_its_field_and_taking_back_deletes(browser: Any, make: Make, world: Any) -> None:
    make(stories.make_let_unit)
    mine = browser(stories.LANDLORD_PHONE)
    wrong = upload(mine, b"a,b\n1,2\n")
    assert wrong.status == 422 and "file-fault" in wrong.reader.ids and "没有找到表头" in wrong.text
    empty = mine.press(mine.get("/l/import"), "上传并检查")
    assert empty.status == 422 and "file-fault" in empty.reader.ids
    gone = mine.press(upload(mine, CONTENT), "不导入了")
    assert "已停止" in gone.text and world.shelf.names() == []
    assert mine.get("/l/import/01936f0c-7a10-7cc3-8d21-5f2b6a4c9e01").status == 404


@pytest.mark.parametrize("name", ["zh.csv", "en.csv", "zh.xlsx", "en.xlsx"])
def test_a_template_is_read_back_with_its_example_which_no_unit_fits(browser: Any, make: Make, name: str) -> None:
    make(stories.make_landlord)
    answer = browser(stories.LANDLORD_PHONE).client.get(f"/l/import/template-{name}", base_url=ORIGIN)
    table = read_table(name, answer.data, LEASE_COLUMNS, required=LEASE_REQUIRED, dates=LEASE_DATES)
    assert table.unknown == () and len(table.rows) == 1
    assert table.rows[0].cells["tenant_id_number"] == "330522199001010001"
    if name.endswith("xlsx"):
        sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
        assert sheet is not None and {cell.number_format for cell in sheet[100]} == {"@"}


def test_the_share_page_says_what_became_of_the_short_message(browser: Any, make: Make) -> None:
    make(stories.make_let_unit)
    mine = browser(stories.LANDLORD_PHONE)
    page = upload(mine, CONTENT)
    make(work)
    mine.press(mine.get(page.path), "开始导入")
    make(work)
    (share,) = [link for link in mine.get(f"{page.path}?show=all").reader.links if link.endswith("/share")]
    quiet = mine.get(share)
    assert "还没有给" in quiet.text and "已发往" not in quiet.text, "the list was imported without messages"
    waiting = mine.press(quiet, "发送短信")
    assert "正在把邀请短信发往" in waiting.text and "已发往" not in waiting.text
    make(send_due_messages)
    sent = mine.get(share)
    assert "邀请短信已发往" in sent.text and "重新发送" in sent.html
