"""The face scene: challenge, a burst made from the selfie, the one-to-one check, another take where a tip says so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from device_sim.faces import burst_of
from device_sim.journey_clients import Api, Problem
from device_sim.journey_teller import Stopped, Teller

DIFFERENT_PEOPLE, UNUSABLE_PICTURES = 3, 4
TAKES, TRIES_WHILE_BUSY = 6, 5
TRY_AGAIN = ("face.busy", "challenge.expired", "challenge.used")


@dataclass(frozen=True)
class Pictures:
    """The document's portrait side and a selfie, as files of a camera."""

    document: bytes
    selfie: bytes


class FaceCheck:
    """One person's face check, with as many takes as a patient person would make."""

    def __init__(self, api: Api, teller: Teller, pictures: Pictures) -> None:
        self._api, self._teller, self._pictures = api, teller, pictures

    def decide(self, notes: list[str]) -> str:
        """Answers 'match', 'review' or 'unavailable'.

        Raises Stopped: two different people (3), unusable pictures (4).
        """
        outcome: dict[str, Any] = {}
        for take in range(TAKES):
            try:
                outcome = self._compare(notes, take)
            except Problem as problem:
                if problem.code != "face.unavailable":
                    raise
                notes.append(problem.words())
                return "unavailable"
            if outcome["decision"] != "retake" or _about_document(outcome["reasons"]):
                break
            self._teller.busy(f"按提示重拍 · another take: {_words(outcome['reasons'])}")
        notes.append(f"结果 · decision: {outcome['decision']}")
        notes.extend(_sentence(reason) for reason in outcome["reasons"])
        return self._judge(outcome)

    def _judge(self, outcome: dict[str, Any]) -> str:
        said, ways = _words(outcome["reasons"]), tuple(outcome["other_ways"])
        if outcome["decision"] == "no_match":
            raise Stopped(DIFFERENT_PEOPLE, f"身份核验未通过 · stopped at the identity check: {said}", ways=ways)
        if outcome["decision"] == "retake":
            raise Stopped(UNUSABLE_PICTURES, f"照片不能用 · the pictures cannot be used: {said}", ways=ways)
        return str(outcome["decision"])

    def _compare(self, notes: list[str], take: int) -> Any:
        hashed = sha256(self._pictures.document).hexdigest()
        for _ in range(TRIES_WHILE_BUSY):
            challenge = self._api.post("/identity/challenges", {"document_sha256": hashed})
            # A made face needs some seconds to model; on a slow machine the challenge may expire the first time.
            self._teller.busy("由自拍照生成动作 · modelling the movements from the selfie")
            frames = burst_of(self._pictures.selfie, challenge["actions"], seed=take)
            notes[:] = [
                f"动作 · actions: {', '.join(challenge['actions'])}",
                f"{len(frames)} 张连拍由自拍照变形生成，不是拍摄 · "
                "frames made from the selfie by warps with depth, not recorded by a camera",
            ]
            fields = {
                "challenge_id": challenge["id"],
                "nonce": challenge["nonce"],
                "times": json.dumps([frame.at_ms for frame in frames]),
            }
            files = [("document", ("document.jpg", self._pictures.document, "image/jpeg"))]
            files += [("frames", (f"{n}.jpg", frame.jpeg, "image/jpeg")) for n, frame in enumerate(frames)]
            self._teller.busy("比对中 · comparing")
            try:
                return self._api.upload("/identity/checks", fields, files)
            except Problem as problem:
                if problem.code not in TRY_AGAIN:
                    raise
                self._teller.pause(problem.words(), problem.retry_after)
        raise Stopped(1, "核验没有完成 · the face check could not be finished")


def _about_document(reasons: Iterable[Mapping[str, str]]) -> bool:
    return any(reason["code"].startswith("document_") for reason in reasons)


def _words(reasons: Iterable[Mapping[str, str]]) -> str:
    return "；".join(_sentence(reason) for reason in reasons)


def _sentence(reason: Mapping[str, str]) -> str:
    return f"{reason['zh']} {reason['tip_zh']} · {reason['en']} {reason['tip_en']}"
