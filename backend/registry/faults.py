"""Failures the registry can be told to show (registry.md, rule 7). They live in its database and survive a restart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update

from backend.registry.database import Database
from backend.registry.tables import faults

Kind = Literal["seconds", "place", "word", "words"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A failure in Chinese and English, and its parameters: name → kind and default (None: it must be given)."""

    zh: str
    en: str
    params: Mapping[str, tuple[Kind, object]] = field(default_factory=dict)
    choices: tuple[str, ...] = ()  # what a `word` may be; empty: anything

    def usage(self) -> str:
        """Its parameters as a person types them."""
        return " ".join(f"{name}={'…' if default is None else default}" for name, (_, default) in self.params.items())


FAULTS: Mapping[str, Fault] = {
    "slow": Fault(
        "批次收到后过 seconds 秒（几分钟或几天）才审核。",
        "Batches are judged only so many `seconds` after they came: minutes or days.",
        {"seconds": ("seconds", 60)},
    ),
    "http_502": Fault("调用得到 502，什么也没有发生。", "Calls are answered 502 and nothing is done."),
    "timeout": Fault(
        "调用等待 seconds 秒后得到 504，什么也没有发生。",
        "Calls wait `seconds`, then are answered 504; nothing is done.",
        {"seconds": ("seconds", 30)},
    ),
    "broken_chain": Fault(
        "出示无法验证的证书链；没有 TLS 时断开连接、不作答。",
        "The certificate chain does not verify; without TLS the line is cut and no answer comes.",
    ),
    "lost_answer": Fault("报送已完成并保存，但应答变成 502。", "Filings are done and committed, then answered 502."),
    "busy": Fault("调用得到 503，代码 9001。", "Calls are answered 503 with code 9001."),
    "maintenance": Fault("调用得到 503，代码 9003。", "Calls are answered 503 with code 9003."),
    "partial": Fault(
        "批次中每隔一项的结果是 state（REJECTED 带 9002，或 PENDING）。",
        "Every second item of a batch ends as `state`: REJECTED with 9002, or PENDING. Nothing of it is stored.",
        {"state": ("word", "REJECTED")},
        ("REJECTED", "PENDING"),
    ),
    "unknown_state": Fault("已受理的项带一个没有约定的状态。", "Accepted items carry a state nobody agreed on."),
    "reordered": Fault("结果的顺序与报送的不同。", "Results come in another order than the items."),
    "duplicated": Fault("每个结果出现两次。", "Each result comes twice."),
    "code_changed": Fault(
        "从批次的第 place 项起，居所类型 code 视为已停用。",
        "From `place` on in a batch, place type `code` counts as expired (2102).",
        {"place": ("place", 1), "code": ("word", "30")},
    ),
    "bad_receipt": Fault("回执用未公布的密钥签名。", "Receipts are signed with a key nobody published."),
    "digest_skew": Fault("摘要的根不正确。", "Digests have a wrong root."),
    "strict_population": Fault(
        "人口库中没有的证件号码视为不匹配（3002）。",
        "Numbers the population base does not know are not matched (3002).",
    ),
    "unknown_units": Fault(
        "units 中的房屋单元视为未备案（4001）。",
        "The units listed in `units` (with commas) are not registered (4001).",
        {"units": ("words", None)},
    ),
    "clock": Fault(
        "登记机关的时钟偏差 seconds 秒。", "The registry's clock is off by `seconds`.", {"seconds": ("seconds", None)}
    ),
}
_SECONDS_MOST = 40 * 24 * 3600
_PLACE_MOST = 200
_LONGEST_WORD = 60
_MOST_WORDS = 50


class UnknownFault(Exception):
    """There is no failure of that name, or its parameters are not usable; the text says what would be."""


def read_params(name: str, given: Mapping[str, object]) -> tuple[dict[str, object], int | None]:
    """The complete parameters of a failure and how many `times` it shows (None: until switched off).

    Raises UnknownFault with a sentence that says what is wrong and what is known.
    """
    fault = FAULTS.get(name)
    if fault is None:
        raise UnknownFault(f"There is no failure of that name. Known: {', '.join(FAULTS)}.")
    times = given.get("times")
    if times is not None and (type(times) is not int or not 1 <= times <= 1_000_000):
        raise UnknownFault("`times` is a whole number from 1 to 1000000.")
    for unknown in set(given) - set(fault.params) - {"times"}:
        known = ", ".join([*fault.params, "times"])
        raise UnknownFault(f"`{name}` has no parameter {unknown[:_LONGEST_WORD]!r}. It has: {known}.")
    params = {}
    for param, (kind, default) in fault.params.items():
        value = given.get(param, default)
        value = str(value) if kind == "word" and type(value) is int else value  # a shell's 30 is the code "30"
        if not _CHECKS[kind](value) or (kind == "word" and fault.choices and value not in fault.choices):
            wanted = " or ".join(fault.choices) if fault.choices else _WANTED[kind]
            raise UnknownFault(f"`{param}` of `{name}` must be {wanted}.")
        params[param] = value if isinstance(value, list) or kind != "words" else [value]
    return params, times


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _LONGEST_WORD


_CHECKS: Mapping[Kind, Callable[[Any], bool]] = {
    "seconds": lambda value: type(value) in (int, float) and -_SECONDS_MOST <= value <= _SECONDS_MOST,
    "place": lambda value: type(value) is int and 0 <= value < _PLACE_MOST,
    "word": _is_word,
    "words": lambda value: (
        _is_word(value) or (isinstance(value, list) and 1 <= len(value) <= _MOST_WORDS and all(map(_is_word, value)))
    ),
}
_WANTED: Mapping[Kind, str] = {
    "seconds": f"a number of seconds, at most {_SECONDS_MOST} (40 days) either way",
    "place": f"a place in a batch, 0 to {_PLACE_MOST - 1}",
    "word": f"a text of at most {_LONGEST_WORD} characters",
    "words": f"a text or a list of at most {_MOST_WORDS} texts",
}


class Faults:
    """The switches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, dict[str, Any]]:
        """What is switched on: name → parameters, with `times` where it is limited."""
        with self._database.reading() as connection:
            rows = connection.execute(select(faults)).all()
        return {row.name: _shown(row.params, row.times_left) for row in rows}

    def switch_on(self, name: str, params: Mapping[str, Any]) -> None:
        """Switch a failure on; `times` limits how often it shows. Raises UnknownFault."""
        wanted, times = read_params(name, params)
        with self._database.writing() as connection:
            connection.execute(delete(faults).where(faults.c.name == name))
            connection.execute(insert(faults).values(name=name, params=wanted, times_left=times))

    def switch_off(self, name: str | None = None) -> None:
        """Switch one failure off, or all of them. Raises UnknownFault for a name nobody knows."""
        if name is not None and name not in FAULTS:
            read_params(name, {})
        with self._database.writing() as connection:
            connection.execute(delete(faults).where(faults.c.name == name) if name else delete(faults))

    def peek(self, name: str) -> dict[str, Any] | None:
        """The parameters of a failure that is on, not using it up; None when it is off."""
        with self._database.reading() as connection:
            row = connection.execute(select(faults).where(faults.c.name == name)).first()
        return None if row is None else dict(row.params)

    def take(self, name: str) -> dict[str, Any] | None:
        """The parameters of a failure that shows now (one of its `times` is used up); None when it is off."""
        if self.peek(name) is None:
            return None  # the usual case writes nothing
        with self._database.writing() as connection:
            row = connection.execute(select(faults).where(faults.c.name == name)).first()
            if row is None:
                return None
            if row.times_left == 1:
                connection.execute(delete(faults).where(faults.c.name == name))
            elif row.times_left is not None:
                connection.execute(update(faults).where(faults.c.name == name).values(times_left=row.times_left - 1))
            return dict(row.params)


def _shown(params: Mapping[str, Any], times_left: int | None) -> dict[str, Any]:
    return dict(params) if times_left is None else {**params, "times": times_left}
