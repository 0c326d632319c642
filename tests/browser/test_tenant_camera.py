"""T5 to T7 of the screens: the camera's page, the ways round a camera that does not open, and whom it refuses."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from PIL import Image

from backend.bootstrap import WORLD, world_of
from backend.domain.movements import ACTIONS
from backend.gateways.face_matcher import DlibFaceMatcher, FaceBusy, FakeFaceMatcher
from backend.services import sign_ins
from backend.services.consents import withdraw_consent
from device_sim.faces import default_document, default_selfie, second_person, still_burst, swapped_burst
from mobile_api.pages.tables import ACTIONS_OF_CHALLENGE
from tests.browser.camera import film
from tests.browser.tenant_stage import Make, TenantPhone, make, mobile, server, tenant
from tests.browser.walker import AXE
from tests.services import stories
from tests.traces import files_in, traces_in

__all__ = ["make", "mobile", "server", "tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)]

# Notes how often the camera was asked for, and every prompt that was to be read.
NOTE_CAMERA = """
window.asked = 0;
const media = navigator.mediaDevices, real = media.getUserMedia.bind(media);
media.getUserMedia = (wish) => { window.asked++; return real(wish); };
window.prompts = [];
addEventListener('DOMContentLoaded', () => {
  const place = document.querySelector('[data-prompt]');
  const note = () => window.prompts.push(place.firstChild.textContent);
  if (place) new MutationObserver(note).observe(place, { childList: true });
});
"""
# Counts the pictures that are held for showing.
NOTE_PICTURES = """
window.held = 0;
const { createObjectURL, revokeObjectURL } = URL;
URL.createObjectURL = (blob) => { window.held++; return createObjectURL.call(URL, blob); };
URL.revokeObjectURL = (url) => { if (url.startsWith('blob:')) window.held--; revokeObjectURL.call(URL, url); };
"""
FAIL_ONCE = """(name) => {
  const media = navigator.mediaDevices, real = media.getUserMedia;
  media.getUserMedia = async () => { media.getUserMedia = real; throw new DOMException('', name); };
}"""
TROUBLES = {
    "NotAllowedError": "没有摄像头的使用许可",
    "NotFoundError": "没有找到摄像头",
    "NotReadableError": "摄像头正被其他应用使用",
}
# 8 s and 1 s of two changing colours, as MediaRecorder writes them: without a length in the head.
FILMS = Path(__file__).parent / "films"


def grey_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (640, 480), "#8899aa").save(out, "JPEG")
    return out.getvalue()


def come_to_the_document(phone: TenantPhone, make: Make) -> None:
    """Up to the first part: consent given, nothing photographed."""
    story = make(stories.make_identified)
    make(stories.read_notice, story.tenant, "face_check")
    phone.enter()
    phone.page.add_init_script(NOTE_CAMERA)
    phone.page.add_init_script(NOTE_PICTURES)
    phone.page.clock.install()
    phone.open(f"/t/homes/{story.registration_id}/face/check")


def jpeg(content: bytes) -> Any:
    """A picture as the phone's own camera hands it over: always under one name."""
    return {"name": "image.jpg", "mimeType": "image/jpeg", "buffer": content}


def photograph(phone: TenantPhone, content: bytes, place: str = "#document") -> None:
    """Choose a picture, and wait until it is shown: what was said of the one before is gone."""
    shown = phone.page.locator("[data-shown=document]")
    before = shown.get_attribute("src")
    phone.page.locator(place).set_input_files(jpeg(content))
    phone.page.locator(f'[data-shown=document][src^="blob:"]:not([src="{before}"])').wait_for()


def is_told(phone: TenantPhone, said: str) -> str:
    """Wait until this is said under the picture, and has the focus; answers its words."""
    phone.page.locator(f"[data-look={said}] [data-title]:focus").wait_for()
    assert phone.page.locator("[data-look]").count() == 1 and phone.page.locator("[data-shown=document]").is_visible()
    return " ".join(phone.page.locator(f"[data-look={said}]").inner_text().split())


def come_to_the_camera(phone: TenantPhone, make: Make, document: bytes) -> None:
    """Up to the live part: consent given, document photographed and looked at."""
    come_to_the_document(phone, make)
    photograph(phone, document)
    is_told(phone, "usable")
    phone.tap("继续")
    phone.page.locator("[data-act=start]:visible").wait_for()


def film_at_once(phone: TenantPhone) -> None:
    """Start, and let the page's own time run: nobody waits for a face that need not move."""
    phone.page.locator("[data-act=start]").click()
    outcome = phone.page.locator('[data-part="outcome"]')
    for _ in range(400):
        phone.page.clock.run_for(250)
        if outcome.is_visible():
            return
    raise AssertionError(phone.says())


def test_a_check_sent_after_the_sign_in_was_ended_says_so_and_shows_no_other_page(
    tenant: TenantPhone, make: Make, chromium: Any
) -> None:
    film(chromium.film, [grey_picture()])
    come_to_the_camera(tenant, make, grey_picture())

    def end_and_go_on(route: Any) -> None:
        make(end_sign_ins, make(stories.make_account, stories.TENANT_PHONE))
        route.continue_()

    tenant.page.route(lambda url: url.endswith("/face/check"), end_and_go_on)
    tenant.complaints.allow(401)
    tenant.page.locator("[data-act=start]").click()
    trouble = tenant.page.locator("[data-trouble]")
    for _ in range(400):
        tenant.page.clock.run_for(250)
        if trouble.is_visible():
            break
    assert "登录已结束，照片没有送出" in trouble.inner_text()
    assert tenant.page.locator("h1").count() == 1 and tenant.page.locator('[data-part="outcome"]').is_hidden()


def end_sign_ins(world: Any, account_id: str) -> None:
    for row in sign_ins.list_sessions(world, account_id=account_id):
        sign_ins.sign_out(world, account_id=account_id, session_id=row.id)


def test_t5_one_prompt_at_a_time_under_an_oval_retake_and_after_three_failures_a_person(
    tenant: TenantPhone, make: Make, chromium: Any, world: Any
) -> None:
    film(chromium.film, [grey_picture()])
    come_to_the_camera(tenant, make, grey_picture())
    assert tenant.page.evaluate("window.asked") == 0, "the camera is asked for after the tap, not before"
    assert tenant.page.locator(".oval").is_visible()
    tenant.look("t5-before")
    world.faces.verdict = FakeFaceMatcher.verdict("no_match", "face_lost")
    film_at_once(tenant)
    prompts = tenant.page.evaluate("window.prompts")
    asked = [str(ACTIONS_OF_CHALLENGE[action]) for action in ACTIONS]
    moves = [said for said in prompts if said in asked]
    assert len(moves) == 3 == len(set(moves)) and tenant.page.locator("[data-prompt]").count() == 1
    assert [said for said in prompts if said not in asked] == [
        "准备好后点“开始”", "正在打开摄像头…", "请正对镜头，马上开始", "看着镜头，别动", *["好，回到正面"] * 3,
        "正在核验，请稍等…", "准备好后点“开始”",
    ]  # fmt: skip
    tenant.sees("还可以试 2 次")
    tenant.look("t5-again")
    for _ in range(2):
        tenant.tap("再拍一次")
        film_at_once(tenant)
    tenant.sees("需要工作人员看一下")
    tenant.sees("AJ-")
    tenant.look("t5-person")
    assert tenant.page.get_by_text("再拍一次").count() == 0


def photograph_again(phone: TenantPhone, content: bytes) -> None:
    """The main way from a picture that cannot be used: the camera, or the list of pictures, opens once more."""
    with phone.page.expect_file_chooser() as opened:
        phone.tap("重拍证件")
    opened.value.set_files(jpeg(content))


def test_t5_a_picture_that_cannot_be_used_is_told_before_the_selfie(
    tenant: TenantPhone, make: Make, chromium: Any, real_faces: None
) -> None:
    come_to_the_document(tenant, make)
    asked: list[str] = []
    tenant.page.on("request", lambda request: request.method == "POST" and asked.append(urlsplit(request.url).path))
    photograph(tenant, grey_picture())
    said = is_told(tenant, "faults")
    assert "证件照片上没有找到人像。 请拍人像面" in said and "就用这张，继续" in said
    assert tenant.page.locator("[data-look] .button").first.inner_text() == "重拍证件", "the main way"
    tenant.look("t5-document-faults")
    photograph_again(tenant, default_document())  # under the same name
    assert is_told(tenant, "usable") == "照片可以用 继续"
    tenant.look("t5-document-usable")
    assert asked == ["/t/face/document"] * 2 and tenant.page.evaluate("[window.asked, window.held]") == [0, 1]

    photograph(tenant, grey_picture(), "#specimen-file")
    is_told(tenant, "faults")
    photograph_again(tenant, default_selfie())
    is_told(tenant, "usable")
    film(chromium.film, [grey_picture()])
    for _ in range(2):  # from the camera, and from the camera again
        tenant.tap("用摄像头做样本证件" if "照片可以用" in tenant.says() else "重拍证件")
        tenant.page.locator("[data-act=specimen-shoot]").click()
        is_told(tenant, "faults")
    tenant.tap("就用这张，继续")
    tenant.page.locator("[data-act=start]:visible").wait_for()
    assert tenant.page.evaluate("window.held") == 1 and asked == ["/t/face/document"] * 6


def test_t5_nobody_waits_for_a_look_that_is_not_made(
    tenant: TenantPhone, make: Make, chromium: Any, world: Any
) -> None:
    film(chromium.film, [grey_picture()])
    tenant.complaints.allow_no_network()
    tenant.complaints.allow(503)
    come_to_the_document(tenant, make)
    world.faces.error = FaceBusy(7)
    photograph(tenant, grey_picture())
    later = is_told(tenant, "later")
    assert "没有先看这张照片" in later and "清楚，继续" in later
    tenant.look("t5-document-later")
    world.faces.error = None
    address = "**/t/face/document"
    for answer in (
        lambda route: route.abort(),
        lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>登录</h1>"),
    ):
        tenant.page.route(address, answer)
        photograph(tenant, default_document())
        assert is_told(tenant, "later") == later
        tenant.page.unroute(address)
    assert world.faces.looked == 1

    held: list[Any] = []
    tenant.page.route(address, lambda route: held.append(route))
    photograph(tenant, grey_picture())
    assert is_told(tenant, "looking") == "正在看照片… 不等了，继续"
    tenant.look("t5-document-looking")
    tenant.page.clock.run_for(11_000)
    assert is_told(tenant, "later") == later
    photograph(tenant, grey_picture())
    is_told(tenant, "looking")
    tenant.tap("不等了，继续")
    tenant.page.locator("[data-part=live] h2:focus").wait_for()
    assert tenant.page.locator("[data-look=later]").count() == 1 and len(held) == 2
    film_at_once(tenant)
    tenant.sees("身份已核验")
    assert tenant.page.evaluate("window.held") == 0, "what is not sent again is let go"


def test_t5_only_the_last_picture_is_spoken_of(tenant: TenantPhone, make: Make, world: Any) -> None:
    come_to_the_document(tenant, make)
    held: list[Any] = []
    tenant.page.route("**/t/face/document", lambda route: route.continue_() if held else held.append(route))
    photograph(tenant, grey_picture())
    wait_for_held(tenant, held)
    assert is_told(tenant, "looking")
    world.faces.faults = ("document_blurred",)
    photograph(tenant, grey_picture())
    assert "证件照片模糊" in is_told(tenant, "faults")
    held[0].fulfill(status=200, content_type="text/html", body="<p data-look=usable><b data-title>old</b></p>")
    tenant.page.clock.run_for(1_000)
    assert "证件照片模糊" in is_told(tenant, "faults")
    assert world.faces.looked == 1 == tenant.page.evaluate("window.held")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_t5_what_is_said_of_the_document_fits_every_phone(
    tenant: TenantPhone, make: Make, world: Any, language: str
) -> None:
    tenant.complaints.allow(409)
    come_to_the_document(tenant, make)
    world.faces.faults = ("document_blurred", "document_bright")
    for elder in (False, True):
        tenant.set_mode(language, elder)
        for width in (320, 390):
            tenant.page.set_viewport_size({"width": width, "height": 844})
            tenant.page.reload()
            photograph(tenant, default_document())
            is_told(tenant, "faults")
            tenant.look(f"t5-document-faults-{language}-{elder}-{width}", least=60 if elder else 44)
            assert not Axe().run(tenant.page, options=AXE).response["violations"]
    world.faces.faults = ()
    make(withdraw_consent, account_id=make(stories.make_account, stories.TENANT_PHONE), purpose="face_check")
    photograph(tenant, default_document())
    assert "同意" in is_told(tenant, "refused") or language == "en"
    assert tenant.page.locator("[data-look] .button").count() == 0, "a check would be refused as well"


def test_t5_what_takes_a_while_says_so_at_once(tenant: TenantPhone, make: Make, chromium: Any, world: Any) -> None:
    film(chromium.film, [grey_picture()])
    come_to_the_camera(tenant, make, grey_picture())
    bar, prompt = tenant.page.locator("[data-bar]"), tenant.page.locator("[data-prompt]")
    assert bar.get_attribute("value") == "0", "nothing runs yet"
    held: list[Any] = []
    check = tenant.page.locator("#face-check").get_attribute("data-check")
    for path in ("/t/face/challenge", check):
        tenant.page.route(f"**{path}", lambda route: held.append(route))
    tenant.page.locator("[data-act=start]").click()
    wait_for_held(tenant, held)
    assert prompt.inner_text() == "正在打开摄像头…" and bar.get_attribute("value") is None
    tenant.look("t5-opening")
    held.pop().continue_()
    wait_for_held(tenant, held)
    assert prompt.inner_text() == "正在核验，请稍等…" and bar.get_attribute("value") is None
    tenant.look("t5-sending")
    held.pop().continue_()
    tenant.page.locator('[data-part="outcome"]').wait_for()


def wait_for_held(phone: TenantPhone, held: list[Any]) -> None:
    """Let the page's own time run until it asks the server, and keep it waiting."""
    for _ in range(400):
        phone.page.clock.run_for(250)
        if held:
            return
    raise AssertionError(phone.says())


def test_t6_a_camera_refused_missing_or_busy_leads_to_help_a_film_and_the_other_ways(
    tenant: TenantPhone, make: Make, world: Any
) -> None:
    come_to_the_camera(tenant, make, grey_picture())
    for name, words in TROUBLES.items():
        tenant.page.evaluate(FAIL_ONCE, name)
        tenant.page.locator("[data-act=start]").click()
        tenant.sees(words)
    assert tenant.page.get_by_text("不拍了，选其他方式").is_visible()
    tenant.look("t6-trouble")
    tenant.tap("用手机自带的相机录")
    tenant.sees("按顺序做这三个动作")
    assert tenant.page.locator(".film-moves li").count() == 3
    tenant.look("t6-film")
    tenant.page.locator("#film").set_input_files(FILMS / "short.webm")
    tenant.sees("录像不到 7 秒")
    tenant.page.locator("#film").set_input_files(FILMS / "long.webm")
    tenant.sees("身份已核验")  # which needs 24 to 40 frames with their times
    assert world.faces.asked == 1


@pytest.fixture
def real_faces(mobile: Flask) -> Iterator[None]:
    """The app with a real face matcher."""
    matcher = DlibFaceMatcher()
    assert matcher.wait_until_ready(120)
    mobile.extensions[WORLD] = replace(world_of(mobile), faces=matcher)
    yield
    matcher.close()


def test_t7_a_still_picture_and_a_swapped_face_are_refused_and_no_picture_is_kept(
    tenant: TenantPhone, make: Make, chromium: Any, real_faces: None, settings: Any
) -> None:
    selfie, document = default_selfie(), default_document()
    film(chromium.film, [still_burst(selfie, 1)[0].jpeg])
    come_to_the_camera(tenant, make, document)
    film_at_once(tenant)
    decision = tenant.page.locator("[data-decision]")
    assert decision.get_attribute("data-decision") in ("retake", "no_match")
    tenant.look("t7-still")

    def swap(route: Any) -> None:
        answer = route.fetch()
        film(chromium.film, [each.jpeg for each in swapped_burst(selfie, second_person(), answer.json()["actions"])])
        route.fulfill(response=answer)

    tenant.page.route("**/t/face/challenge", swap)
    tenant.tap("再拍一次")
    tenant.page.locator("[data-act=start]").click()
    decision.wait_for(timeout=90_000)
    assert decision.get_attribute("data-decision") != "match"
    tenant.look("t7-swapped")
    assert not traces_in(files_in(settings.var), [document]) | traces_in(files_in(settings.var.parent), [document])
