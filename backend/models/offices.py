"""Offices as people read of them: the name under which an office looks, and the same in English."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Text120


class OfficeName(Base):
    """An office's English name; leaves and reads at the registry carry the Chinese one."""

    __tablename__ = "office_names"

    zh: Mapped[Text120] = mapped_column(primary_key=True)
    en: Mapped[Text120]
