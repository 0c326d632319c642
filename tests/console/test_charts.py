"""Charts are drawn from the numbers of the table and from nothing else."""

from __future__ import annotations

from backend.console.charts import WIDE, draw_columns, draw_rows, draw_share, percent


def test_bars_stand_on_the_ground_and_are_as_high_as_their_counts() -> None:
    chart = draw_columns(["26-10", "26-11"], [10, 20], [0, None])
    ten, twenty, none, withheld = chart.bars
    assert twenty.height == 2 * ten.height and ten.y + ten.height == twenty.y + twenty.height
    assert (none.height, withheld.height, withheld.value) == (0, 0, None)
    assert [value for _, value in chart.lines] == [0, 10, 20]
    assert all(0 <= bar.x and bar.x + bar.width <= chart.width and bar.y >= 0 for bar in chart.bars)


def test_the_scale_ends_at_a_round_number_above_the_highest_bar() -> None:
    for highest, top in ((0, 2), (3, 4), (23, 40), (61, 100), (101, 200)):
        assert draw_columns(["a"], [highest]).lines[-1][1] == top


def test_a_share_of_withheld_or_of_nothing_is_no_share() -> None:
    assert (percent(6, 2), percent(None, 2), percent(6, None), percent(0, 0)) == (75, None, None, None)
    chart = draw_share(["a", "b", "c"], [6, 0, None], [2, 0, None])
    assert [(bar.label, bar.value) for bar in chart.bars] == [("a", 75), ("c", None)]


def test_lying_bars_leave_room_for_names_and_values() -> None:
    chart = draw_rows(["安徽省", "河南省"], [40, None])
    assert chart.bars[0].width == max(bar.width for bar in chart.bars) and chart.bars[1].width == 0
    assert chart.bars[0].x + chart.bars[0].width < chart.width


def test_of_labels_without_room_every_second_one_stands_and_the_last_always() -> None:
    months = [f"2026-{month:02}" for month in range(1, 13)]
    assert [label for _, label in draw_columns(months, range(12)).labels] == months[1::2]
    assert [label for _, label in draw_columns(months, range(12), wide=WIDE).labels] == months
