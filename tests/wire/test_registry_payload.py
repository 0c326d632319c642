"""The whitelist: a payload holds the fields of the data dictionary, well formed, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.wire.registry_payload import FIELDS, LEGS, OPS, check_payload, shape_of
from tests.wire.registry_makers import LANDLORD_PAYLOAD, TENANT_PAYLOAD

# What Anju never tells anyone (product.md, exclusion 3, and the dictionary's own limits)
FORBIDDEN = ("phone", "face", "portrait", "ethnicity", "religion", "politics", "health", "rent", "remark", "score")


def faults(payload: dict[str, object], op: str = "UPSERT", leg: str = "TENANT") -> list[tuple[str, str]]:
    return [(error.code, error.pointer) for error in check_payload(op, leg, payload)]


def test_complete_payloads_have_no_fault() -> None:
    assert faults(dict(TENANT_PAYLOAD)) == []
    assert faults(dict(LANDLORD_PAYLOAD), leg="LANDLORD") == []


@given(st.text(min_size=1, max_size=80).filter(lambda name: name not in FIELDS), st.text(max_size=20))
def test_any_field_outside_the_dictionary_is_refused(name: str, value: str) -> None:
    assert [code for code, _ in faults({**TENANT_PAYLOAD, name: value})] == ["5003"]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_field_exists_for_what_is_never_told(name: str) -> None:
    assert not any(name in field for field in FIELDS)


@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("leg", LEGS)
def test_a_field_of_another_kind_of_item_is_refused_too(op: str, leg: str) -> None:
    shape = shape_of(op, leg)
    foreign = set(FIELDS) - shape.required - shape.optional
    for name in foreign:
        assert ("5003", f"/payload/{name}") in faults({name: "x"}, op, leg)


def test_a_landlord_cannot_report_more_than_the_statutory_minimum() -> None:
    for name in ("birth_on", "sex", "hukou_division", "reason", "guardian_name", "relation"):
        assert ("5003", f"/payload/{name}") in faults({**LANDLORD_PAYLOAD, name: TENANT_PAYLOAD.get(name, "x")},
                                                      leg="LANDLORD")  # fmt: skip


def test_a_check_out_carries_only_receipt_date_and_reason() -> None:
    shape = shape_of("CHECKOUT", "TENANT")
    assert shape.required == {"receipt_no", "moved_out_on", "checkout_reason"}
    assert shape.optional == frozenset()


@pytest.mark.parametrize("name", sorted(shape_of("UPSERT", "TENANT").required))
def test_a_missing_field_is_named(name: str) -> None:
    payload = {key: value for key, value in TENANT_PAYLOAD.items() if key != name}
    assert faults(payload) == [("2001", f"/payload/{name}")]


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("name", "", "2001"),
        ("name", "甲" * 51, "2002"),
        ("name", "·甲", "2003"),
        ("name", "甲 ", "2003"),
        ("name", "甲3", "2003"),
        ("name", "e\u0301va", "2003"),
        ("name", 7, "2003"),
        ("name", None, "2003"),
        ("id_number", "34012219920229000x", "2003"),
        ("id_number", "3401", "2002"),
        ("id_number", "３４０１２２１９９２０２２９０００３", "2003"),
        ("birth_on", "1992-02-30", "2003"),
        ("birth_on", "19920229", "2002"),
        ("division", "330522", "2002"),
        ("division", "33052200320x", "2003"),
        ("address", "<b>样本路</b>", "2003"),
        ("address", "样本\n路", "2003"),
        ("address", "样本\u202e路", "2003"),
        ("unit_no", "U 7", "2003"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_with_its_code(name: str, value: object, code: str) -> None:
    assert faults({**TENANT_PAYLOAD, name: value}) == [(code, f"/payload/{name}")]


@pytest.mark.parametrize("name", ["王", "\U00020bb7野", "阿卜杜拉·样本", "〇一", "Sample Ann-Marie O'Test", "Éva"])
def test_names_people_have_are_accepted(name: str) -> None:
    assert faults({**TENANT_PAYLOAD, "name": name}) == []


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=60) | st.none() | st.integers(), max_size=8))
def test_any_payload_is_judged_without_failing(payload: dict[str, object]) -> None:
    for op in OPS:
        for leg in LEGS:
            check_payload(op, leg, payload)
