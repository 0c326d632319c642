"""What a person reads of a registry's refusal: plain words for every code, and never the registry's technical ones."""

from __future__ import annotations

import pytest

from backend.domain.rejection_words import explain_rejection
from backend.wire.registry_codes import CODES

TECHNICAL = ("报文", "代码", "签名", "证书", "请求", "字段", "系统内部", "message", "code", "signature", "field")


@pytest.mark.parametrize("code", sorted(CODES))
@pytest.mark.parametrize("leg", ["TENANT", "LANDLORD"])
def test_every_code_is_explained_in_plain_words_with_something_to_do(code: str, leg: str) -> None:
    owner = CODES[code].owner if CODES[code].owner != "LEG" else leg
    words = explain_rejection(code, owner, reader=leg)
    assert all((words.zh, words.en, words.todo_zh, words.todo_en))
    whole = f"{words.zh}{words.todo_zh} {words.en} {words.todo_en}"
    assert not [term for term in TECHNICAL if term in whole.replace("号码", "")], whole
    if owner in ("OPERATOR", "REGISTRY"):
        assert "您不用做什么" in words.todo_zh, "nobody is asked to mend what is ours"


def test_a_code_of_ones_own_has_words_of_its_own_and_an_unknown_one_leads_to_the_window() -> None:
    own = {explain_rejection(code, "TENANT").zh for code, row in CODES.items() if row.owner == "LEG"}
    assert len(own) == sum(row.owner == "LEG" for row in CODES.values())
    assert "房东更正" in explain_rejection("3002", "LANDLORD").todo_zh, "a tenant is not asked to mend the landlord's"
    assert "窗口" in explain_rejection("7777", "TENANT").todo_zh
