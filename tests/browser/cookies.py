"""The session cookie of somebody who has signed in, for a browser that skips the forms."""

from __future__ import annotations

from flask import Flask


def session_cookie(app: Flask, base: str, session_id: str, secret: str) -> dict[str, str]:
    """As Playwright takes it, for the door `app` that answers at `base`."""
    signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    value = signer.dumps({"sid": session_id, "secret": secret, "_permanent": True})
    return {"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": base}
