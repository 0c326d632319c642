"""Whom a tenant wants to have told when asking for help: a phone number of their own choice, sealed."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, Id, Moment, Sealed


class HelpContact(Base):
    """One chosen person of one account; sealed under the account's own data key. No row: nobody is told."""

    __tablename__ = "help_contacts"

    account_id: Mapped[Id] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    phone_sealed: Mapped[Sealed]
    with_address: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[Moment]
