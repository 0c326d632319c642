"""Against the real registry: what it has corrected and the person accepted, no later version of ours undoes."""

from __future__ import annotations

from datetime import timedelta

from backend.registry.corrections import correct_record
from backend.registry.tables import legs, records
from backend.services.leases import extend_lease
from backend.services.registry_corrections import answer_correction, fetch_corrections, list_corrections
from tests.services import stories
from tests.worker.telling import Telling


def name_there(telling: Telling) -> dict[str, str]:
    """The name each leg has there, the tenant's with the registry's correction over it."""
    with telling.stage.registry.database.reading() as connection:
        corrected = connection.scalar(records.select().with_only_columns(records.c.corrected)) or {}
        found = {row.part: row.payload["name"] for row in connection.execute(legs.select())}
    return found | {"TENANT": corrected.get("name", found["TENANT"])}


def test_a_corrected_name_stays_through_an_extension_of_both_legs(telling: Telling) -> None:
    story = stories.make_active(telling.world)
    telling.settle()
    telling.move(hours=1)
    registry = telling.stage.registry
    correct_record(registry, story.registration_id, {"name": "周来富"}, office="居住登记机关", badge="R-1")
    assert fetch_corrections(telling.world) == 1
    (shown,) = list_corrections(telling.world, account_id=story.tenant, registration_id=story.registration_id)
    answer_correction(telling.world, account_id=story.tenant, registration_id=story.registration_id,
                      correction_id=shown.id, accept=True)  # fmt: skip
    telling.move(days=1)
    later = telling.clock.today() + timedelta(days=900)
    extend_lease(telling.world, account_id=story.landlord, lease_id=story.lease_id, ends_on=later)
    telling.settle()
    assert name_there(telling) == {"TENANT": "周来富", "LANDLORD": "周来福"}
    assert {attempt.outcome for attempt in telling.attempts(story.registration_id)} == {"accepted"}
