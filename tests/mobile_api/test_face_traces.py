"""After face checks of every outcome and looks at documents: nothing biometric in database, disk, logs, open files.

A real worker makes them. The long one, a hundred checks against all processes and a broker, is
tests/journeys/test_face_traces.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from backend.bootstrap import WORLD, world_of
from backend.db import db
from backend.gateways.face_frames import Frame
from backend.gateways.face_matcher import DlibFaceMatcher
from tests.face_samples import MOVEMENTS, burst, document, faceless_burst, picture, somebody_else
from tests.gateways.test_face_reasons import beside_itself
from tests.mobile_api.phones import ApiPhone
from tests.mobile_api.test_bad_input import document_alone
from tests.mobile_api.test_hostile_pictures import SAYS_DOCUMENT_WAS_READ, reasons, send
from tests.services import stories
from tests.services.stories import TENANT_PHONE
from tests.traces import family_of, files_in, open_files_of, traces_in


@pytest.fixture
def tenant(
    mobile: Flask, make: Callable[..., Any], phone: Callable[..., ApiPhone], product_log: Callable[..., None]
) -> Iterator[ApiPhone]:
    """A tenant who has agreed to the face check, on an app with a real worker that logs as the product does."""
    product_log("mobile", "DEBUG")
    matcher = DlibFaceMatcher()
    assert matcher.wait_until_ready(120)
    make(stories.make_identified)
    mobile.extensions[WORLD] = replace(world_of(mobile), faces=matcher)
    signed_in = phone(TENANT_PHONE)
    for text in signed_in.get("/consent-texts").json:
        signed_in.put(f"/consents/{text['purpose']}", {"version": text["version"], "given": True})
    yield signed_in
    matcher.close()


def rows_of_all_tables() -> Iterator[tuple[str, bytes]]:
    """Each table with all its values as the database gives them back, one behind the other."""
    for table in db.metadata.sorted_tables:
        values = bytearray()
        for row in db.session.execute(table.select()):
            for value in row:
                values += (value if isinstance(value, bytes) else str(value).encode()) + b"\n"
        yield f"table {table.name}", bytes(values)


def test_nothing_of_a_face_stays_after_checks_of_every_outcome_and_looks_at_documents(
    tenant: ApiPhone, make: Callable[..., Any], settings: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    sent = [document(), somebody_else(), *(frame.jpeg for frame in burst())]
    assert send(tenant, document(), burst(), MOVEMENTS).json["decision"] == "match"
    assert send(tenant, somebody_else(), burst(), MOVEMENTS).json["decision"] == "no_match"
    assert send(tenant, burst()[1].jpeg, burst(), MOVEMENTS).json["decision"] == "review"
    broken = [*burst()[:4], Frame(burst()[4].jpeg[:9_000], 1_000), *burst()[5:]]
    assert reasons(send(tenant, document(), broken)) == ("frame_damaged",)
    assert reasons(send(tenant, document(), faceless_burst())) == SAYS_DOCUMENT_WAS_READ
    assert reasons(send(tenant, document() + b"<html>", burst())) == ("document_mixed",)
    assert send(tenant, document(), burst()[:9]).status_code == 422
    refused = tenant.call("POST", "/identity/checks", data=document(), content_type="image/jpeg")
    assert refused.status_code == 422
    for paper, fault in (
        (document(), None),
        (somebody_else(), None),
        (picture(change=beside_itself), "document_several_faces"),
        (document()[:-9_000], "document_damaged"),
        (document() + b"<html>", "document_mixed"),
    ):
        sent.append(paper)
        looked = tenant.call("POST", "/identity/document-checks", **document_alone(document=paper))
        assert [reason["code"] for reason in looked.json["reasons"]] == ([] if fault is None else [fault])

    found = traces_in(open_files_of(family_of(os.getpid())), sent)  # the worker's, and pytest's own capture of the log
    found |= traces_in(files_in(settings.var), sent) | traces_in(files_in(settings.var.parent), sent)
    found |= make(lambda _world: traces_in(rows_of_all_tables(), sent))
    log = capfd.readouterr()
    found |= traces_in([("log", (log.out + log.err).encode())], sent)
    assert not found
    assert make(lambda _world: dict(rows_of_all_tables())["table identity_checks"]).count(b"face\n") == 6, "of no look"
