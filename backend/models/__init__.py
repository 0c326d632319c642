"""What Anju remembers: one noun per file, invariants as constraints.

Services write here inside one transaction, queries read. Importing this package registers every table, which is what
migrations and tests need. You will not find a rule about people here: rules live in backend.domain.
"""

from backend.models import (  # noqa: F401  (importing registers the tables)
    accounts,
    appointments,
    audit,
    bridges,
    cases,
    commands,
    consents,
    data_keys,
    dwellings,
    erasures,
    help_contacts,
    identity_checks,
    imports,
    invitations,
    keys,
    leases,
    letters,
    local_standards,
    lock_events,
    locks,
    network_identity,
    notices,
    officers,
    offices,
    outbox,
    persons,
    registrations,
    registry_attempts,
    registry_contacts,
    registry_returns,
    requests,
    sharing,
    standings,
    units,
    visits,
    window_visits,
)
from backend.models.base import Base

__all__ = ["Base"]
