"""Consents and notices read: the purpose, the exact text by hash, its version, given and withdrawn."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Text120, one_of

PURPOSES = ("registration_notice", "face_check")


class Consent(Base):
    """One answer to one text (FACE-6, PIPL-29): a refusal is kept as well, as `given` false.

    `subject_id` is the child for whom a guardian's account has answered; None: for oneself. `channel` is 'phone',
    'guardian', 'window' or 'paper'; the officer who read the text aloud or took the paper stands in `officer_id`.
    """

    __tablename__ = "consents"
    __table_args__ = (one_of("purpose", PURPOSES), Index("ix_consents_account_id_purpose", "account_id", "purpose"))

    id: Mapped[Id] = mapped_column(primary_key=True)
    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"))
    subject_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), default=None)
    purpose: Mapped[Code]
    text_version: Mapped[Code]
    text_hash: Mapped[Text120]
    given: Mapped[bool]
    channel: Mapped[Code] = mapped_column(default="phone")
    officer_id: Mapped[Id | None] = mapped_column(ForeignKey("officers.id"), default=None)
    at: Mapped[Moment]
    withdrawn_at: Mapped[Moment | None] = mapped_column(default=None)
