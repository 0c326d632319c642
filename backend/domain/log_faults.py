"""What may not fit in the audit log, as codes: a check keeps `leaf.missing:17`, and a reader gets a sentence.

And when a check is too old to say anything.
"""

from __future__ import annotations

from datetime import timedelta

OLD_AFTER = timedelta(days=2)  # a check a night; one missed may be a machine that was off
LOST = "leaf_lost"  # the action of a leaf that stands in for a lost one, whose number is its object

FAULTS = {
    "leaf.missing": ("第 {n} 条记录不见了", "leaf {n} is missing"),
    "leaf.lost": (
        "第 {n} 条记录已丢失，运维人员已补记并继续签名", "leaf {n} is lost; the operator let the signing go on over it",
    ),
    "leaf.changed": ("第 {n} 条记录被改动", "leaf {n} was changed"),
    "root.differs": ("前 {n} 条记录与签名检查点不符", "the first {n} leaves do not fit their signed checkpoint"),
    "signature.foreign": (
        "覆盖前 {n} 条的检查点不是本系统签名的", "the signature of the checkpoint over {n} leaves is not ours",
    ),
    "log.short": ("记录比覆盖 {n} 条的签名检查点少", "the log is shorter than its checkpoint over {n} leaves"),
    "checkpoint.gone": (
        "覆盖前 {n} 条的签名检查点被删除或替换", "the signed checkpoint over {n} leaves was removed or replaced",
    ),
}  # fmt: skip


def fault_code(kind: str, number: int) -> str:
    """A fault as it is kept."""
    assert kind in FAULTS
    return f"{kind}:{number}"


def fault_sentence(fault: str, language: str) -> str:
    """A kept fault in 'zh' or 'en'; what older versions kept as a sentence stays that sentence."""
    kind, _, number = fault.partition(":")
    return FAULTS[kind][0 if language == "zh" else 1].format(n=number) if kind in FAULTS else fault


def is_known_loss(fault: str) -> bool:
    """Whether a kept fault is a lost leaf that the operator signed on over."""
    return fault.startswith("leaf.lost:")
