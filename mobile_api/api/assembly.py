"""Hang the JSON API into the mobile app."""

from __future__ import annotations

from flask import Flask, request

from mobile_api.api import (
    access_records,
    children,
    consents,
    dwellings,
    households,
    identity_checks,
    identity_ways,
    imports,
    invitations,
    key_phones,
    keys,
    leases,
    me,
    proofs,
    registrations,
    reported,
    reports,
    residence_paths,
    sign_ins,
    unit_board,
    units,
    visitor_keys,
)
from mobile_api.api.contract import IdConverter, WordConverter
from mobile_api.api.description import PREFIX, complete_document, make_api
from mobile_api.api.documents import DOCUMENT, documents
from mobile_api.requests import API_BODY_BYTES, LIST_BYTES, REPORT_BYTES, UPLOAD_BYTES

# In the order of the main journey, which is the order of the document.
NOUNS = (
    sign_ins,
    me,
    children,
    consents,
    dwellings,
    units,
    unit_board,
    leases,
    imports,
    invitations,
    registrations,
    households,
    residence_paths,
    identity_checks,
    identity_ways,
    keys,
    key_phones,
    visitor_keys,
    access_records,
    reported,
    reports,
    proofs,
)
LARGER = {
    "api.identity.look_at_document": UPLOAD_BYTES,
    "api.identity.check_face": UPLOAD_BYTES,
    "api.keys.bring_lock_report": REPORT_BYTES,
    "api.imports.upload": LIST_BYTES,
}


def register_api(app: Flask) -> None:
    """Give `app` the API's calls and its document; the policy is checked later, by open_door."""
    app.url_map.converters.update(id=IdConverter, word=WordConverter)
    api = make_api(app)
    api.register_converter(IdConverter, lambda _converter: {"type": "string", "format": "uuid"})
    api.register_converter(WordConverter, lambda _converter: {"type": "string", "pattern": "^[a-z_]{1,40}$"})
    for noun in NOUNS:
        blueprint = noun.blueprint
        api.register_blueprint(blueprint, name=f"api.{blueprint.name}", url_prefix=PREFIX)
    app.register_blueprint(documents)
    app.before_request(_limit_body)
    document = complete_document(app, api)
    document["tags"] = [{"name": noun.blueprint.title, "description": noun.blueprint.description} for noun in NOUNS]
    app.extensions[DOCUMENT] = document


def _limit_body() -> None:
    """Set the limit of this body before anything reads it; a longer one is answered with 413."""
    if request.path.startswith(f"{PREFIX}/"):
        request.max_content_length = LARGER.get(request.endpoint or "", API_BODY_BYTES)
