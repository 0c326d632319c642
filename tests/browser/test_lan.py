"""`./anju demo --lan` as a phone meets it: verified https, camera, service worker, the page with the authority."""

from __future__ import annotations

import base64
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from backend.config import Settings
from backend.lan import certificates_folder
from backend.lan_site.authority import fingerprint, plain_host, read_authority
from backend.ports import free_ports
from backend.preparation import prepare
from backend.processes import LAN_PORTS, PORTS, TOP, demo_environment, process_table
from backend.supervisor import Supervisor

pytestmark = [pytest.mark.browser, pytest.mark.release]  # starts a whole demo of its own
ADDRESS = "127.0.0.2"  # not the one everything else listens on, as the network's is not
# The width of the camera's picture, as soon as one has come.
PICTURE_WIDTH = """() => new Promise((done) => {
  const video = document.querySelector("#specimen video");
  if (video.videoWidth) done(video.videoWidth);
  else video.addEventListener("loadeddata", () => done(video.videoWidth), { once: true });
})"""
NEEDED = ("mobile", "console", "lan")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Both doors and the page for phones, started as `demo --lan` starts them; the rest is not needed here."""
    names = (*PORTS, *LAN_PORTS)
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANJU_VAR", str(tmp_path_factory.mktemp("lan")))
        environment = demo_environment(ports, lan=ADDRESS)
    settings = Settings.from_environment(environment)
    table = [row for row in process_table(settings) if row.name in NEEDED]
    with Supervisor(table, var=settings.var, environment=environment, folder=TOP, say=print) as supervisor:
        prepare(settings, environment, print)
        assert supervisor.wait_ready(), [child.last_words(8) for child in supervisor.children]
        yield settings


@pytest.fixture(scope="module")
def phone(served: Settings, driver: Any) -> Iterator[Any]:
    """A browser that trusts the server's key and no other, and finds the machine by its .local name."""
    program = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    server = x509.load_pem_x509_certificate((certificates_folder(served) / "server.pem").read_bytes())
    key = server.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(key)
    browser = driver.chromium.launch(
        executable_path=program,
        args=[
            "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
            f"--host-resolver-rules=MAP *.local {ADDRESS}",
            f"--ignore-certificate-errors-spki-list={base64.b64encode(digest.finalize()).decode()}",
        ],
    )  # fmt: skip
    yield browser.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN").new_page()
    browser.close()


def machine() -> str:
    import socket

    return f"{plain_host(socket.gethostname())}.local"


def test_https_verifies_with_the_authority_alone_and_cookies_are_for_https(served: Settings) -> None:
    trusting = ssl.create_default_context(cafile=str(certificates_folder(served) / "ca.pem"))
    for address in (ADDRESS, "127.0.0.1"):
        for port in (served.mobile_port, served.console_port):
            with urlopen(f"https://{address}:{port}/healthz", context=trusting, timeout=5) as answer:
                assert answer.status == 200
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(f"https://{ADDRESS}:{served.mobile_port}/healthz", context=ssl.create_default_context(), timeout=5)
    with urlopen(f"https://{ADDRESS}:{served.mobile_port}/sign-in", context=trusting, timeout=5) as answer:
        cookies = answer.headers.get_all("Set-Cookie")
    assert any(cookie.startswith("__Host-anju-m=") and "Secure" in cookie for cookie in cookies)


def test_a_phone_on_the_network_has_camera_and_service_worker(served: Settings, phone: Any) -> None:
    phone.goto(f"http://{machine()}:{served.lan_page_port}/")
    assert not phone.evaluate("isSecureContext"), "by http a phone has neither: that is what the authority is for"
    base = f"https://{machine()}:{served.mobile_port}"
    phone.goto(f"{base}/demo/specimen")
    assert phone.evaluate("isSecureContext")
    phone.locator("[data-camera]").click()
    assert phone.evaluate(PICTURE_WIDTH) > 0
    phone.goto(f"{base}/r/")
    assert phone.evaluate("navigator.serviceWorker.ready.then((it) => it.active.scriptURL)").startswith(base)


def test_a_form_works_by_https_and_leads_to_the_networks_own_address(served: Settings, phone: Any) -> None:
    phone.goto(f"https://{machine()}:{served.mobile_port}/sign-in")
    phone.locator("main [name=phone]").fill("13900000077")
    phone.locator("main form button[type=submit]").first.click()
    phone.locator("main [name=code]").wait_for()  # the token in the form was accepted without a Referer


def test_the_page_for_phones_tells_the_fingerprint_and_fits(served: Settings, phone: Any, tmp_path: Path) -> None:
    for width, path in ((390, "/"), (320, "/en")):
        phone.set_viewport_size({"width": width, "height": 844})
        phone.goto(f"http://{ADDRESS}:{served.lan_page_port}{path}")
        shown = "".join(phone.locator(".fingerprint span").all_inner_texts())
        assert shown == fingerprint(read_authority(certificates_folder(served)))
        assert phone.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert phone.locator(".codes img").evaluate_all("all => all.every((each) => each.naturalWidth > 0)")
        low = phone.locator("main .button, summary, header a").evaluate_all(
            "all => all.filter((each) => each.getBoundingClientRect().height < 44).map((each) => each.outerHTML)"
        )
        assert not low
        phone.screenshot(path=str(tmp_path / f"lan-{width}.png"), full_page=True)
    with phone.expect_download() as download:
        phone.locator("summary", has_text="Android").wait_for()
        phone.locator('a[href="/anju-ca.crt"]').click()
    taken = x509.load_der_x509_certificate(Path(download.value.path()).read_bytes())
    assert taken == read_authority(certificates_folder(served))
