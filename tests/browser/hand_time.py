"""How long hands are busy with a journey: the keystroke-level model over what a driven phone really did.

The model is Card, Moran and Newell's (The keystroke-level model for user performance time with interactive systems,
Communications of the ACM 23(7), 1980), its mouse become a finger: a touch points and presses. It foretells the time of
hands that know what they want; reading is no part of it, and how long the system kept them waiting is measured apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

POINT_SECONDS = 1.10  # P of the same paper: to a target on the screen; a thumb's way is shorter than a mouse's
PRESS_SECONDS = 0.20  # K: an average skilled typist's press: the touch itself
TOUCH_SECONDS = POINT_SECONDS + PRESS_SECONDS
PREPARE_SECONDS = 1.35  # M: before each new page, and before each field to be answered
# People of fifty and more write 26 words of five letters a minute on their phones, all people 36: Palin, Feit, Kim,
# Kristensson, Oulasvirta, How do people type on mobile devices?, MobileHCI 2019. Landlords are rarely the youngest.
KEY_SECONDS = 60 / (26 * 5)
# Three letters of pinyin, as syllables of names and addresses have, and the touch that chooses among the characters.
KEYS_OF_A_CHARACTER = 4
# Card out of the pocket, laid down, in the frame, in focus. No source: our own estimate, and a generous one.
AIM_SECONDS = 15.0
DATE_KEYS = 8  # a day that is written, as on a keyboard; a calendar's wheel is turned about as often

CHARACTER = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


def count_keys(text: str) -> int:
    """How many touches of the phone's keyboard it takes to write this."""
    characters = len(CHARACTER.findall(text))
    return characters * KEYS_OF_A_CHARACTER + len(text) - characters


@dataclass(frozen=True)
class Goal:
    """The most that a journey may ask of its hands."""

    taps: int  # photographs included
    seconds: int


A_LANDLORD, A_TENANT = Goal(taps=25, seconds=5 * 60), Goal(taps=30, seconds=4 * 60)
A_LANDLORD_WHO_ADDS_THE_ROOM = Goal(taps=30, seconds=5 * 60)  # five more answers than for a room of the address base


@dataclass
class Hands:
    """What a person's hands did since the count began, and how long the system made them wait."""

    taps: int = 0  # touches of the page
    keys: int = 0  # touches of the keyboard
    fields: int = 0
    pages: int = 0
    photographs: int = 0
    waited_seconds: float = 0.0

    @property
    def seconds(self) -> float:
        """The hands' own time by the model."""
        return (
            self.taps * TOUCH_SECONDS
            + self.keys * KEY_SECONDS
            + (self.fields + self.pages) * PREPARE_SECONDS
            + self.photographs * AIM_SECONDS
        )

    def told(self, goal: Goal) -> str:
        """The time, its goal, what it is made of."""
        both = self.seconds + self.waited_seconds
        return (
            f"{in_minutes(self.seconds)} of {in_minutes(goal.seconds)} at most"
            f" ({self.taps} taps, {self.keys} keys, {self.fields} fields, {self.pages} pages,"
            f" {self.photographs} photographs); with {self.waited_seconds:.0f} s of waiting for this machine"
            f" {in_minutes(both)}, {'within' if both <= goal.seconds else 'OVER'} the goal"
        )


def in_minutes(seconds: float) -> str:
    """125.4 → 2 min 05 s."""
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02} s"
