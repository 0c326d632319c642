"""Every reason a face check may give, reached by a picture or a burst: no sentence stands there that nobody can see."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from backend.domain.faces import FACE_REASONS, FacePolicy
from backend.gateways.face_frames import Frame
from backend.gateways.face_pipeline import compare_pictures, verify
from device_sim import faces
from device_sim.face_actor import Actor
from tests.face_samples import (
    ACTIONS,
    NOW,
    as_frames,
    asked,
    burst,
    document,
    faceless_burst,
    landscape,
    picture,
    saved,
    selfie,
    somebody_else,
)

POLICY = FacePolicy()
Change = Callable[[Image.Image], Image.Image]


def checked(
    frames: Sequence[Frame] | None = None,
    *,
    paper: bytes | None = None,
    actions: Sequence[str] = ACTIONS,
    policy: FacePolicy = POLICY,
) -> tuple[str, ...]:
    """Reasons of a whole check; by default everything in it is as it should be."""
    chosen = burst() if frames is None else tuple(frames)
    return verify(document() if paper is None else paper, chosen, asked(actions), policy, NOW).reasons


def paper(change: Change) -> tuple[str, ...]:
    """Reasons of a check whose document was changed."""
    return checked(paper=picture("JPEG", change, quality=90))


def heads(content: bytes) -> tuple[str, ...]:
    """Reasons of a check whose document is this file."""
    return checked(faceless_burst(), paper=content)


def live(change: Change) -> tuple[str, ...]:
    """Reasons of a check in which every frame was changed."""
    changed = []
    for frame in burst():
        with Image.open(io.BytesIO(frame.jpeg)) as opened:
            changed.append(Frame(saved(change(opened.convert("RGB")), quality=90), frame.at_ms))
    return checked(changed)


def one_frame(content: bytes) -> tuple[str, ...]:
    """Reasons of a check whose third frame is this file."""
    frames = list(burst())
    frames[2] = Frame(content, frames[2].at_ms)
    return checked(frames)


def timed(times: Sequence[int]) -> tuple[str, ...]:
    """Reasons of a check whose frames carry these times."""
    return checked([Frame(saved(landscape(96, 96, n)), at) for n, at in enumerate(times)])


def shrunk_on_canvas(share: float) -> Change:
    def change(image: Image.Image) -> Image.Image:
        canvas = landscape(image.width, image.height).filter(ImageFilter.GaussianBlur(8))
        small = image.resize((round(image.width * share), round(image.height * share)), Image.Resampling.LANCZOS)
        canvas.paste(small, ((canvas.width - small.width) // 2, (canvas.height - small.height) // 2))
        return canvas

    return change


def blurred(radius: float) -> Change:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


def lit(share: float) -> Change:
    return lambda image: ImageEnhance.Brightness(image).enhance(share)


def tilted(degrees: float) -> Change:
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(90, 90, 90))


def cut(share: float) -> Change:
    """Only what lies right of `share` of the width."""
    return lambda image: image.crop((round(share * image.width), 0, image.width, image.height))


def beside_itself(image: Image.Image) -> Image.Image:
    both = Image.new("RGB", (2 * image.width, image.height))
    both.paste(image, (0, 0))
    both.paste(image, (image.width, 0))
    return both


@cache
def actor() -> Actor:
    with Image.open(io.BytesIO(selfie())) as opened:
        return Actor(opened.convert("RGB"))


def turned_paper() -> tuple[str, ...]:
    pose = replace(actor().neutral, turn_degrees=actor().neutral.turn_degrees + 34)
    return checked(faceless_burst(), paper=saved(Image.fromarray(actor().mesh.moved(pose)), quality=92))


def hardly_resting() -> tuple[str, ...]:
    """Both movements are made, but the face looks into the camera in two frames only."""
    rest, mouth, eyes = actor().neutral, actor().poses_for("open_mouth")[0], actor().poses_for("close_eyes")[0]
    plan = [rest, *[mouth] * 10, rest, *[eyes] * 5, *[mouth] * 8]
    rng = np.random.default_rng(3)
    frames = []
    for number, pose in enumerate(plan):
        pixels = actor().mesh.moved(pose) + rng.normal(0, 1.2, (480, 640, 3))
        shot = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
        frames.append(Frame(saved(shot, quality=88), number * 250))
    return checked(frames, actions=("open_mouth", "close_eyes"))


def late() -> tuple[str, ...]:
    challenge = asked(ACTIONS)
    return verify(document(), burst(), challenge, POLICY, challenge.expires_at + timedelta(seconds=1)).reasons


EVEN = [250 * number for number in range(28)]
EXAMPLES: dict[str, Callable[[], tuple[str, ...]]] = {
    "document_missing": lambda: heads(b""),
    "document_unknown_kind": lambda: heads(b"%PDF-1.7"),
    "document_damaged": lambda: heads(document()[:9_000]),
    "document_too_large": lambda: heads(saved(Image.new("L", (8_000, 6_400)), "PNG")),
    "document_too_small": lambda: heads(saved(Image.new("RGB", (1, 1)))),
    "document_animated": lambda: heads(saved(landscape(), "WEBP", save_all=True, append_images=[landscape(seed=1)])),
    "document_mixed": lambda: heads(document() + b"<script>"),
    "document_no_face": lambda: heads(saved(landscape())),
    "document_several_faces": lambda: paper(beside_itself),
    "document_face_small": lambda: paper(lambda image: shrunk_on_canvas(0.3)(image.resize((600, 600)))),
    "document_face_smallish": lambda: paper(shrunk_on_canvas(0.29)),
    "document_blurred": lambda: paper(blurred(5)),
    "document_soft": lambda: paper(blurred(2)),
    "document_dark": lambda: paper(lit(0.2)),
    "document_bright": lambda: paper(lit(1.9)),
    "document_turned": turned_paper,
    "document_tilted": lambda: paper(tilted(36)),
    "document_cut": lambda: paper(cut(0.42)),
    "challenge_late": late,
    "frames_missing": lambda: checked(()),
    "frames_too_few": lambda: checked(burst()[:23]),
    "frames_too_many": lambda: timed(range(0, 41 * 100, 100)),
    "frames_out_of_order": lambda: timed([*EVEN[:5], EVEN[3], *EVEN[6:]]),
    "frames_too_long": lambda: timed([750 * number for number in range(28)]),
    "frames_interrupted": lambda: timed([*EVEN[:9], *(at + 1_300 for at in EVEN[9:])]),
    "frames_repeated": lambda: one_frame(burst()[1].jpeg),
    "frame_unknown_kind": lambda: one_frame(saved(landscape(), "PNG")),
    "frame_damaged": lambda: one_frame(burst()[2].jpeg[:4_000]),
    "frame_too_large": lambda: one_frame(saved(Image.new("RGB", (1_500, 1_450)))),
    "frame_too_small": lambda: one_frame(saved(Image.new("RGB", (40, 40)))),
    "frame_animated": lambda: one_frame(saved(landscape(), "PNG", save_all=True, append_images=[landscape(seed=1)])),
    "frame_mixed": lambda: one_frame(burst()[2].jpeg + b"%PDF-1.4"),
    "face_lost": lambda: one_frame(saved(landscape())),
    "face_not_alone": lambda: live(lambda image: beside_itself(image.crop((120, 0, 520, 480)))),
    "face_far": lambda: live(shrunk_on_canvas(0.65)),
    "face_soft": lambda: live(blurred(1.4)),
    "face_sideways": lambda: live(lambda image: image.transpose(Image.Transpose.ROTATE_90)),
    "face_blurred": lambda: live(blurred(2.2)),
    "face_dark": lambda: live(lit(0.2)),
    "face_bright": lambda: live(lit(1.9)),
    "face_turned": hardly_resting,
    "face_tilted": lambda: live(tilted(-33)),
    "face_cut": lambda: live(cut(0.39)),
    "faces_differ": lambda: checked(as_frames(faces.swapped_burst(selfie(), somebody_else(), ACTIONS))),
    "turn_left_not_seen": lambda: checked(as_frames(faces.still_burst(selfie()))),
    "turn_right_not_seen": lambda: checked(as_frames(faces.still_burst(selfie())), actions=("turn_right",)),
    "open_mouth_not_seen": lambda: checked(as_frames(faces.still_burst(selfie()))),
    "close_eyes_not_seen": lambda: checked(as_frames(faces.still_burst(selfie()))),
    "movements_out_of_order": lambda: checked(actions=ACTIONS[::-1]),
    "movements_unasked": lambda: checked(actions=("close_eyes", "open_mouth")),
    "same_picture": lambda: checked(paper=burst()[1].jpeg),
    "likeness_unsure": lambda: checked(policy=replace(POLICY, match_at_most=0.16)),
    "likeness_low": lambda: checked(paper=somebody_else()),
}


def test_every_reason_has_an_example() -> None:
    assert set(EXAMPLES) == set(FACE_REASONS)


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_reason_is_reached_by_pictures(code: str) -> None:
    assert code in EXAMPLES[code]()


def test_the_unchanged_pictures_give_no_reason_at_all() -> None:
    assert checked() == ()
    assert compare_pictures(document(), selfie(), POLICY).reasons == ()
