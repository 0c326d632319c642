"""What the registry refuses, code by code, with the field and the one who mends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from backend.registry.people import NEVER_MATCHED, SAMPLE_PEOPLE
from backend.registry.tables import codes
from backend.wire.registry_messages import Item
from tests.registry.stage import Signer, Stage
from tests.wire.registry_makers import (
    CHILD_NUMBER,
    LANDLORD_PAYLOAD,
    OTHER_NUMBER,
    OTHER_RECORD,
    RECORD,
    TENANT_PAYLOAD,
    make_batch,
    make_changed_item,
    make_registration_item,
)

GUARDIAN = {
    "guardian_name": "测试乙",
    "guardian_id_type": "111",
    "guardian_id_number": OTHER_NUMBER,
    "guardian_relation": "father",
}
CHILD = {"id_number": CHILD_NUMBER, "birth_on": "2015-06-01"}


def errors_of(stage: Stage, item: Item) -> list[tuple[str, str, str]]:
    """The errors of a dry run, which is the same judgement as a filing."""
    (result,) = stage.client.validate([item])
    assert result.state == ("REJECTED" if result.errors else "ACCEPTED")
    return [(error.code, error.pointer, error.owner) for error in result.errors]


@pytest.mark.parametrize(
    ("fields", "code", "field", "owner"),
    [
        ({"phone": "13800000000"}, "5003", "phone", "OPERATOR"),
        ({"name": "甲3"}, "2003", "name", "TENANT"),
        ({"reason": "205"}, "2101", "reason", "OPERATOR"),
        ({"place_type": "31"}, "2101", "place_type", "OPERATOR"),
        ({"id_number": "340122199202290004"}, "3001", "id_number", "TENANT"),
        ({"id_number": "340122199202300005"}, "3001", "id_number", "TENANT"),
        ({"id_number": "810000199001010000", "id_type": "511"}, "3001", "id_number", "TENANT"),
        ({"birth_on": "1992-02-28"}, "3003", "birth_on", "TENANT"),
        ({"sex": "male"}, "3003", "sex", "TENANT"),
        (CHILD | {"sex": "female"}, "3004", "guardian_name", "TENANT"),
        (CHILD | dict(list(GUARDIAN.items())[:3]), "3004", "guardian_relation", "TENANT"),
        (CHILD | GUARDIAN | {"guardian_id_number": "340122198507150008"}, "3001", "guardian_id_number", "TENANT"),
        ({"hukou_division": "330522"}, "3101", "hukou_division", "OPERATOR"),
        ({"place_type": "10"}, "3102", "place_type", "OPERATOR"),
        ({"id_type": "414", "id_number": "E12345678"}, "3103", "id_type", "OPERATOR"),
        ({"name": NEVER_MATCHED}, "3002", "name", "TENANT"),
        ({"division": "330522999001"}, "4002", "division", "OPERATOR"),
        ({"planned_end_on": "2026-11-19"}, "2003", "planned_end_on", "TENANT"),
    ],
)
def test_a_fault_has_its_code_its_field_and_its_owner(
    stage: Stage, fields: dict[str, str], code: str, field: str, owner: str
) -> None:
    assert errors_of(stage, make_changed_item(**fields)) == [(code, f"/payload/{field}", owner)]


def test_a_complete_declaration_is_accepted(stage: Stage) -> None:
    assert errors_of(stage, make_registration_item()) == []
    assert errors_of(stage, make_changed_item(**CHILD, **GUARDIAN)) == []


@pytest.mark.parametrize(
    ("id_type", "number"),
    [("516", "810000199001010000"), ("516", "820000199001010002"), ("511", "830000199001010004")],
)
def test_residence_permits_of_hong_kong_macao_and_taiwan_people_are_accepted(
    stage: Stage, id_type: str, number: str
) -> None:
    item = make_changed_item(("hukou_division",), id_type=id_type, id_number=number, birth_on="1990-01-01")
    assert errors_of(stage, item) == []


def test_all_faults_are_told_at_once(stage: Stage) -> None:
    item = make_changed_item(reason="205", hukou_division="330522", id_number="340122199202290004")
    assert [code for code, *_ in errors_of(stage, item)] == ["2101", "3101", "3001"]


def test_a_landlords_fault_is_the_landlords_to_mend(stage: Stage) -> None:
    payload = {**LANDLORD_PAYLOAD, "id_number": "340122199202290004"}
    item = make_registration_item(leg="LANDLORD", payload=payload)
    assert errors_of(stage, item) == [("3001", "/payload/id_number", "LANDLORD")]


def test_a_hash_of_another_payload_is_refused(stage: Stage) -> None:
    item = replace(make_registration_item(), payload={**TENANT_PAYLOAD, "reason": "207"})
    assert errors_of(stage, item) == [("1102", "/payload_hash", "OPERATOR")]


def test_someone_is_sixteen_from_the_birthday_on(stage: Stage) -> None:
    child = {**TENANT_PAYLOAD, **CHILD}
    before = make_registration_item(payload=child, declared_at=datetime(2031, 5, 31, 15, 59, tzinfo=UTC))
    on_the_day = make_registration_item(payload=child, declared_at=datetime(2031, 5, 31, 16, 0, tzinfo=UTC))
    assert [code for code, *_ in errors_of(stage, before)] == ["3004"]
    assert errors_of(stage, on_the_day) == []


def test_a_known_number_belongs_to_one_name(stage: Stage) -> None:
    (number, name), *_ = SAMPLE_PEOPLE.items()
    born = {"id_number": number, "birth_on": f"{number[6:10]}-{number[10:12]}-{number[12:14]}"}
    assert errors_of(stage, make_changed_item(name=name, **born)) == []
    assert errors_of(stage, make_changed_item(name="别人", **born)) == [("3002", "/payload/name", "TENANT")]


def test_a_strict_population_base_does_not_match_unknown_numbers(stage: Stage) -> None:
    stage.switch_on("strict_population")
    assert [code for code, *_ in errors_of(stage, make_registration_item())] == ["3002"]
    answer = stage.http.put("/_sim/people", json={"id_number": TENANT_PAYLOAD["id_number"], "name": "测试甲"})
    assert answer.status_code == 200
    assert errors_of(stage, make_registration_item()) == []


def test_a_unit_the_registry_does_not_know_is_the_landlords_to_register(stage: Stage) -> None:
    stage.switch_on("unknown_units", units=[TENANT_PAYLOAD["unit_no"]])
    assert errors_of(stage, make_registration_item()) == [("4001", "/payload/unit_no", "LANDLORD")]


def test_a_sender_reports_only_where_it_may(stage: Stage) -> None:
    confined = Signer()
    stage.trust(confined.jwk(sender="elsewhere", divisions=["330522101"]))
    client = stage.client_of(confined)
    (dry,) = client.validate([make_registration_item()])
    assert [(error.code, error.pointer) for error in dry.errors] == [("5001", "/payload/division")]
    batch_id = client.submit(make_batch(make_registration_item()), "key-0123456789abcdef").batch_id
    stage.judge()
    assert client.batch_status(batch_id).items[0].errors[0].code == "5001"


def test_a_code_that_ended_is_refused_for_later_days_only(stage: Stage) -> None:
    with stage.registry.database.writing() as connection:
        connection.execute(update(codes).where(codes.c.code == "204").values(valid_until="2026-11-23"))
    until = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)
    after = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    assert errors_of(stage, make_registration_item(effective_at=until)) == []
    assert errors_of(stage, make_registration_item(effective_at=after)) == [("2102", "/payload/reason", "OPERATOR")]


def test_living_elsewhere_too_is_a_warning_that_blocks_nothing(stage: Stage) -> None:
    stage.file_one(make_registration_item())
    elsewhere = make_registration_item(record_id=OTHER_RECORD, payload={**TENANT_PAYLOAD, "unit_no": "U-OTHER234"})
    result = stage.file_one(elsewhere)
    assert [error.code for error in result.errors] == ["4003"]
    assert stage.receipt_of(result).record_id == OTHER_RECORD
    same_again = stage.file_one(make_registration_item(op="AMEND", record_version=2))
    assert same_again.record_id == RECORD and [error.code for error in same_again.errors] == ["4003"]
