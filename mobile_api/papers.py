"""How both halves of the mobile door answer a PDF."""

from __future__ import annotations

from flask import Response, request


def pdf_answer(pdf: bytes) -> Response:
    """A PDF to keep, named as its address ends."""
    name = request.path.rpartition("/")[2]
    return Response(
        pdf, mimetype="application/pdf", headers={"Content-Disposition": f'attachment; filename="anju-{name}"'}
    )
