"""The movement check: was the person asked for three movements seen making them, in that order, by one live face?

It is not "anti-spoofing" and claims no conformity with ISO/IEC 30107-3: it stops a held-up photograph and a replayed
recording; it cannot stop a face swapped in real time, an injected camera, a bent print, a mask or a sibling. That is
why a person and the landlord's attestation stand beside it.

Left and right are the person's own. Frames are unmirrored camera frames: a turn to the person's left moves the nose
towards larger x. A page that shows a mirrored preview still sends unmirrored frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Protocol

ACTIONS = ("turn_left", "turn_right", "open_mouth", "close_eyes")
ACTIONS_ASKED = 3


class RandomSource(Protocol):
    """What chooses: `random.SystemRandom()` in the product, `random.Random(seed)` in tests."""

    def sample(self, population: Sequence[str], k: int) -> list[str]:
        """k different members of `population`, in random order."""


@dataclass(frozen=True)
class Challenge:
    """What the server asked of one session: a nonce, the movements in their order, and until when they count.

    That it is used once, by the session, person and document it was made for, is held by its row (services); a matcher
    remembers nothing between two checks.
    """

    nonce: str
    actions: tuple[str, ...]
    expires_at: datetime

    def is_open(self, now: datetime) -> bool:
        """Whether pictures received at `now` may still answer it."""
        return now <= self.expires_at


@dataclass(frozen=True)
class MovementRules:
    """Limits of the movement check; each was set by trial with real and with flat, printed faces.

    | limit | why |
    |---|---|
    | turn_at_least .35 | a flat print turned by 30-45 degrees moves .04-.11, at most .27 |
    | turn_change_at_least .25 | a face held askew all the time has not moved |
    | frontal_at_most .25 | about 18 degrees: from here on a face counts as turned |
    | mouth .25 to .45 | a broad smile with teeth shows up to .44 |
    | eyes .65 / .85 of the session's own median | an absolute threshold wrongly flags 11 % of ordinary faces |
    | 24-40 frames, ≤ 20 s, gaps ≤ 1.5 s | three movements at four frames a second; no room for a cut |
    | unasked_at_most 1 | a recording of all movements would answer every challenge; one slip is human |
    """

    frames_at_least: int = 24
    frames_at_most: int = 40
    lasts_at_most_ms: int = 20_000
    gap_at_most_ms: int = 1_500
    frontal_at_most: float = 0.25
    turn_at_least: float = 0.35
    turn_change_at_least: float = 0.25
    mouth_shut_at_most: float = 0.25
    mouth_open_at_least: float = 0.45
    eyes_shut_at_most: float = 0.65
    eyes_open_at_least: float = 0.85
    eyes_shut_frames: int = 2
    unasked_at_most: int = 1


@dataclass(frozen=True)
class FrameMeasure:
    """What one frame shows of the face; ratios of landmark distances, no unit, the same at every picture size.

    `yaw`: nose tip beside the middle of the eyes, along the line of the eyes ÷ distance of the eyes; positive towards
    the person's left. `mouth`: gap of the inner lips ÷ their width. `eyes`: mean opening of both eyes ÷ distance from
    the eyes to the corners of the mouth.
    """

    at_ms: int
    yaw: float
    mouth: float
    eyes: float


@dataclass(frozen=True)
class Movement:
    """One completed movement: away and back again, between two frame numbers."""

    action: str
    first: int
    last: int


def choose_actions(source: RandomSource) -> tuple[str, ...]:
    """Three different movements in an order nobody can foresee (24 possibilities)."""
    return tuple(source.sample(ACTIONS, ACTIONS_ASKED))


def find_burst_faults(times_ms: Sequence[int], marks: Sequence[bytes], rules: MovementRules) -> tuple[str, ...]:
    """Reason codes of what is wrong with a burst as a recording: number, times, gaps, repeated frames.

    `marks` are one fingerprint of each frame's content (any digest), in the frames' order.
    """
    if len(times_ms) < rules.frames_at_least:
        return ("frames_too_few",)
    if len(times_ms) > rules.frames_at_most:
        return ("frames_too_many",)
    gaps = [after - before for before, after in zip(times_ms, times_ms[1:], strict=False)]
    if min(gaps) <= 0:
        return ("frames_out_of_order",)
    faults = []
    if times_ms[-1] - times_ms[0] > rules.lasts_at_most_ms:
        faults.append("frames_too_long")
    if max(gaps) > rules.gap_at_most_ms:
        faults.append("frames_interrupted")
    if len(set(marks)) < len(marks):
        faults.append("frames_repeated")
    return tuple(faults)


def judge_movements(measures: Sequence[FrameMeasure], actions: Sequence[str], rules: MovementRules) -> tuple[str, ...]:
    """Reason codes of what is missing; empty when the asked movements were seen in their order.

    An asked movement that is not seen at all gives `<action>_not_seen`; seen, but at the wrong place,
    `movements_out_of_order`; more than `rules.unasked_at_most` others, `movements_unasked`.
    """
    seen = find_movements(measures, rules)
    missing = tuple(f"{action}_not_seen" for action in actions if action not in {one.action for one in seen})
    if missing:
        return missing
    place = 0
    for one in seen:
        if place < len(actions) and one.action == actions[place]:
            place += 1
    if place < len(actions):
        return ("movements_out_of_order",)
    return ("movements_unasked",) if len(seen) - len(actions) > rules.unasked_at_most else ()


def find_movements(measures: Sequence[FrameMeasure], rules: MovementRules) -> list[Movement]:
    """All completed movements, by the frame in which each was over."""
    yaws = [measure.yaw for measure in measures]
    rest = median([yaw for yaw in yaws if abs(yaw) <= rules.frontal_at_most] or [0.0])
    found = _turns("turn_left", yaws, rest, rules)
    found += _turns("turn_right", [-yaw for yaw in yaws], -rest, rules)
    found += _mouth_openings(measures, rules)
    found += _eye_closings(measures, rules)
    return sorted(found, key=lambda movement: (movement.last, movement.first))


def is_resting(measure: FrameMeasure, eyes_baseline: float, rules: MovementRules) -> bool:
    """Whether the frame shows the face as in a portrait: frontal, mouth shut, eyes open. Such frames are compared."""
    return (
        abs(measure.yaw) <= rules.frontal_at_most
        and measure.mouth <= rules.mouth_open_at_least
        and measure.eyes >= rules.eyes_open_at_least * eyes_baseline
    )


def eyes_baseline_of(measures: Sequence[FrameMeasure], rules: MovementRules) -> float:
    """The session's own eye opening: the median over its frontal frames; 0 when there is none."""
    frontal = [measure.eyes for measure in measures if abs(measure.yaw) <= rules.frontal_at_most]
    return median(frontal) if frontal else 0.0


def _turns(action: str, yaws: Sequence[float], rest: float, rules: MovementRules) -> list[Movement]:
    """Turns towards positive `yaws`: from frontal to far enough and back to frontal."""
    return _away_and_back(
        action,
        len(yaws),
        is_away=lambda n: yaws[n] >= rules.turn_at_least and yaws[n] - rest >= rules.turn_change_at_least,
        is_rest=lambda n: abs(yaws[n]) <= rules.frontal_at_most,
    )


def _mouth_openings(measures: Sequence[FrameMeasure], rules: MovementRules) -> list[Movement]:
    return _away_and_back(
        "open_mouth",
        len(measures),
        is_away=lambda n: measures[n].mouth >= rules.mouth_open_at_least,
        is_rest=lambda n: measures[n].mouth <= rules.mouth_shut_at_most,
    )


def _eye_closings(measures: Sequence[FrameMeasure], rules: MovementRules) -> list[Movement]:
    """Eyes shut over several frames in a row, judged in frontal frames only: a turn narrows one eye by itself."""
    baseline = eyes_baseline_of(measures, rules)
    if baseline <= 0:
        return []

    def share(number: int) -> float:
        return measures[number].eyes / baseline if abs(measures[number].yaw) < rules.turn_at_least else 0.75

    return _away_and_back(
        "close_eyes",
        len(measures),
        is_away=lambda n: share(n) <= rules.eyes_shut_at_most,
        is_rest=lambda n: share(n) >= rules.eyes_open_at_least,
        in_a_row=rules.eyes_shut_frames,
    )


def _away_and_back(
    action: str, frames: int, *, is_away: Callable[[int], bool], is_rest: Callable[[int], bool], in_a_row: int = 1
) -> list[Movement]:
    """Movements that begin after a resting frame, go away for `in_a_row` frames and end in a resting frame."""
    found: list[Movement] = []
    rested, first, run, is_full = False, 0, 0, False
    for number in range(frames):
        if is_away(number):
            run += 1
            if rested and not is_full:
                first = first if run > 1 else number
                is_full = run >= in_a_row
        else:
            run = 0
            if is_rest(number):
                if is_full:
                    found.append(Movement(action, first, number))
                rested, is_full = True, False
    return found
