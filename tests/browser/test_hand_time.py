"""The count of hand time: keys of both scripts, the sum of the model, and the word about the goal."""

from __future__ import annotations

import pytest

from tests.browser.hand_time import KEY_SECONDS, PREPARE_SECONDS, TOUCH_SECONDS, Goal, Hands, count_keys


@pytest.mark.parametrize(("text", "keys"), [("", 0), ("19900088101", 11), ("东屋", 8), ("陈塘村 9号", 18)])
def test_a_character_takes_its_pinyin_and_a_choice_a_digit_one_key(text: str, keys: int) -> None:
    assert count_keys(text) == keys


def test_the_time_is_touches_keys_and_a_preparation_for_each_page_and_field() -> None:
    hands = Hands(taps=2, keys=10, fields=1, pages=1)
    assert hands.seconds == pytest.approx(2 * TOUCH_SECONDS + 10 * KEY_SECONDS + 2 * PREPARE_SECONDS)
    assert Hands(photographs=1).seconds > 0 == Hands().seconds


def test_the_word_about_the_goal_counts_the_waiting_in() -> None:
    hands, goal = Hands(taps=10), Goal(taps=10, seconds=20)
    assert "0 min 13 s of 0 min 20 s" in hands.told(goal) and "within the goal" in hands.told(goal)
    hands.waited_seconds = 60
    assert "1 min 13 s, OVER the goal" in hands.told(goal)
