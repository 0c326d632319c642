"""Topics: built and read by one table."""

from __future__ import annotations

import pytest

from backend.wire import topics

LOCK = "019b0000-0000-7000-8000-00000000a001"


@pytest.mark.parametrize("channel", topics.CHANNELS.values(), ids=topics.CHANNELS)
def test_a_topic_is_read_back_as_it_was_built(channel: topics.Channel) -> None:
    assert topics.parse_topic(topics.topic_of(LOCK, channel)) == topics.Address(LOCK, channel)


def test_the_shard_is_the_crc_of_the_id() -> None:
    assert topics.shard_of("123456789") == 0xCBF43926 % 16  # the check value of CRC-32/ISO-HDLC
    assert topics.topic_of("123456789", topics.COMMAND) == "anju/v1/6/123456789/dn/cmd"


@pytest.mark.parametrize(
    "topic, reason",
    [
        ("anju/v2/6/123456789/dn/cmd", "foreign_topic"),
        ("anju/v1/6/123456789/dn/cmd/x", "foreign_topic"),
        ("anju/v1/6/+/dn/cmd", "foreign_topic"),
        ("anju/v1/6/123456789/sideways/cmd", "foreign_topic"),
        ("$SYS/broker", "foreign_topic"),
        ("", "foreign_topic"),
        ("anju/v1/6/123456789/dn/cmd\n", "foreign_topic"),
        ("anju/v1/6/123456789/up/cmd", "unknown_channel"),
        ("anju/v1/7/123456789/dn/cmd", "wrong_shard"),
        ("anju/v1/06/123456789/dn/cmd", "wrong_shard"),
    ],
)
def test_a_topic_outside_the_table_is_refused(topic: str, reason: str) -> None:
    with pytest.raises(topics.TopicRejected) as caught:
        topics.parse_topic(topic)
    assert caught.value.reason == reason


@pytest.mark.parametrize("lock_id", ["", "#", "a/b", "+", "-a", "a" * 65, "$SYS"])
def test_an_id_that_could_name_another_subtree_gets_no_topic(lock_id: str) -> None:
    with pytest.raises(ValueError):
        topics.topic_of(lock_id, topics.COMMAND)


def test_commands_are_never_retained_and_age_within_fifteen_seconds() -> None:
    assert not topics.COMMAND.retained and topics.COMMAND.max_age_seconds == 15
    assert all(c.qos == 1 for c in topics.CHANNELS.values() if c.retained)
    assert topics.downlink_filter("123456789") == "anju/v1/6/123456789/dn/+"
    assert topics.uplink_filter() == "anju/v1/+/+/up/+" and topics.uplink_filter(3) == "anju/v1/3/+/up/+"
