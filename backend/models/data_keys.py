"""Wrapped data keys: one per person, or per lease until its tenant is a person. Destroying the row is the deletion."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Id, Moment, Sealed, Text120


class DataKey(Base):
    """A data key wrapped by the key ring's key-encryption key `kek_id`."""

    __tablename__ = "data_keys"

    subject_id: Mapped[Id] = mapped_column(primary_key=True)
    kek_id: Mapped[Text120]
    wrapped: Mapped[Sealed]
    created_at: Mapped[Moment]
