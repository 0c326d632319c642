"""Remembered answers of creating calls, so that a repeated request makes nothing twice."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Id, Moment, Text120, Token


class RememberedRequest(Base):
    """The answer given to (account, Idempotency-Key); another body under the same key is refused."""

    __tablename__ = "remembered_requests"

    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    key: Mapped[Text120] = mapped_column(primary_key=True)
    operation: Mapped[Text120]
    body_hash: Mapped[Token]
    result: Mapped[dict[str, Any]]
    at: Mapped[Moment]
