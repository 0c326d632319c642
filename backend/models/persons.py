"""Persons: landlord, tenant, co-resident. Identity fields are sealed under the person's own data key."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Code, Id, Moment, Sealed, Token, index_where, one_of

ID_TYPES = ("111", "414", "511", "516", "551", "553")
IDENTITY_STATES = ("none", "attested", "verified")
DOCUMENT_STATES = ("unasked", "matched", "unmatched", "unavailable")


class Person(Base):
    """A natural person; the id is never derived from a document.

    `identity_state` is the highest outcome reached by an identity check; `attested` is due for review.
    `document_state` is what the authority said of name and number; while it is `unavailable`, `document_ask_at` says
    when it is asked again. A child's guardian and their relation are kept here (ZJ-7).
    Whoever was deleted (`erased_at`) stays as a stub: placeholders under a new data key, the old one is destroyed.
    """

    __tablename__ = "persons"
    __table_args__ = (
        one_of("id_type", ID_TYPES),
        one_of("identity_state", IDENTITY_STATES),
        one_of("document_state", DOCUMENT_STATES),
        Index("ix_persons_guardian_id", "guardian_id"),
        index_where("ix_persons_identity_review_due_at", "identity_review_due_at", "identity_state = 'attested'"),
        one_of("sex", ("male", "female", "unknown")),
        Index("uq_persons_id_number_token", "id_type", "id_number_token", unique=True),
        Index("ix_persons_name_token", "name_token"),
        index_where("ix_persons_without_name_token", "id", "name_token IS NULL"),
    )

    id: Mapped[Id] = mapped_column(primary_key=True)
    name_sealed: Mapped[Sealed]
    name_token: Mapped[Token | None] = mapped_column(default=None)  # blind index of the whole name, for the search
    name_latin_sealed: Mapped[Sealed | None] = mapped_column(default=None)
    id_type: Mapped[Code]
    id_number_sealed: Mapped[Sealed]
    id_number_token: Mapped[Token]
    birth_on_sealed: Mapped[Sealed]
    sex: Mapped[Code]
    nationality: Mapped[Code] = mapped_column(default="CHN")
    hukou_division: Mapped[Code | None] = mapped_column(default=None)
    identity_state: Mapped[Code] = mapped_column(default="none")
    identity_review_due_at: Mapped[Moment | None] = mapped_column(default=None)
    document_state: Mapped[Code] = mapped_column(default="unasked", server_default="unasked")
    document_ask_at: Mapped[Moment | None] = mapped_column(default=None)
    document_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    guardian_id: Mapped[Id | None] = mapped_column(ForeignKey("persons.id"), default=None)
    guardian_relation: Mapped[Code | None] = mapped_column(default=None)
    erased_at: Mapped[Moment | None] = mapped_column(default=None)
    adrift_at: Mapped[Moment | None] = mapped_column(default=None)  # since when nothing leads to this person any more
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[Moment]
