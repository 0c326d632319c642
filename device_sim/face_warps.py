"""Moves the face in one picture: turns it with real depth, opens its mouth, closes its eyes.

A picture has no depth, so each of the 68 landmarks gets one from a plain model of a human head (units: the distance
between the eye centres; x to the picture's right, y down, z towards the camera; zero at the eyes). The landmarks are
moved in space and the triangles between them drawn again, far ones first, so that a turned nose hides the cheek behind
it. Nothing here judges a face; that is the core's work.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import map_coordinates
from scipy.spatial import Delaunay

Points = NDArray[np.float64]
Pixels = NDArray[np.uint8]

# Depth of the 68 landmarks. The nose tip stands two thirds of an eye distance before the eyes (about 42 mm); the
# outline of the jaw runs back to the ears. Mirror-symmetric, hence given for one half where possible.
_JAW = (-1.05, -1.0, -0.92, -0.80, -0.62, -0.42, -0.22, -0.05, 0.02)
_BROW = (-0.30, -0.08, 0.06, 0.12, 0.12)
_BRIDGE = (0.08, 0.25, 0.45, 0.66)
_NOSTRILS = (0.22, 0.32, 0.38, 0.32, 0.22)
_EYE = (-0.18, -0.02, -0.02, -0.06, -0.04, -0.06)
_OUTER_LIPS = (0.02, 0.20, 0.30, 0.32, 0.30, 0.20, 0.02, 0.18, 0.26, 0.28, 0.26, 0.18)
_INNER_LIPS = (0.04, 0.24, 0.27, 0.24, 0.04, 0.22, 0.24, 0.22)
_RIGHT_EYE = (_EYE[3], _EYE[2], _EYE[1], _EYE[0], _EYE[5], _EYE[4])
DEPTHS: Points = np.array(
    _JAW + _JAW[-2::-1] + _BROW + _BROW[::-1] + _BRIDGE + _NOSTRILS + _EYE + _RIGHT_EYE + _OUTER_LIPS + _INNER_LIPS
)
_AXIS_DEPTH = -0.6  # the head turns about an axis this far behind the eyes
# Cheek points that landmarks lack: (landmark, landmark, share of the first, depth); without them cheeks are flat.
_CHEEKS = ((31, 2, 0.5, -0.05), (48, 4, 0.4, -0.15), (35, 14, 0.5, -0.05), (54, 12, 0.4, -0.15))
# Where an eyelid folds: (lid, brow), a third of the way up. Held still, it spares the brow; let go, the lid is smooth.
_FOLDS = ((37, 18), (37, 19), (38, 20), (43, 23), (44, 24), (44, 25))
_LIDS = ((37, 41), (38, 40), (43, 47), (44, 46))  # upper, lower
_FALLING = {66: 1.0, 65: 0.95, 67: 0.95, 57: 1.0, 56: 0.95, 58: 0.95, 55: 0.6, 59: 0.6} | {
    8: 0.5, 7: 0.45, 9: 0.45, 6: 0.35, 10: 0.35, 5: 0.25, 11: 0.25, 4: 0.1, 12: 0.1
}  # fmt: skip
_MOUTH_CORNERS = {60: 0.1, 48: 0.1, 64: -0.1, 54: -0.1}
_BROWS, _NOSE = slice(17, 27), slice(27, 36)
_FIRST_FOLD = 68 + len(_CHEEKS)
_RING = 24


@dataclass(frozen=True)
class Pose:
    """How the face is held: turn and nod in degrees (positive turn: to the person's own left; positive nod: down);
    `relief` makes the nose stand out more or less than the model's.

    `mouth_open` is the wanted gap of the inner lips ÷ inner mouth width beyond the picture's own; `eyes_closed` runs
    from below 0 (wider) over 0 (as in the picture) to 1 (shut), its fold following by `fold_falls` (0 to 1), its lashes
    drawn with strength `lashes` (0 to 1); `brows_down` moves the brows, in eye distances.
    """

    turn_degrees: float = 0.0
    relief: float = 1.0
    nod_degrees: float = 0.0
    mouth_open: float = 0.0
    eyes_closed: float = 0.0
    lower_lid: float = 0.1
    fold_falls: float = 0.0
    brows_down: float = 0.0
    lashes: float = 0.4


class FaceMesh:
    """One picture (height × width × 3, 8 bit) with its 68 landmarks (68 × 2, x and y in pixels), ready to be moved."""

    def __init__(self, pixels: Pixels, landmarks: Points) -> None:
        self.pixels = pixels
        eyes = np.array([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
        self._centre = eyes.mean(axis=0)
        self._scale = float(np.hypot(*(eyes[1] - eyes[0])))
        across = (eyes[1] - eyes[0]) / self._scale
        self._axes = np.array([across, [-across[1], across[0]]])
        flat = (landmarks - self._centre) @ self._axes.T / self._scale
        face = np.column_stack([flat, DEPTHS])
        self._head = np.vstack([face, _cheeks(face), _folds(face), _forehead(flat)])
        self._ring = _ring(pixels.shape, self._centre, self._scale)
        self._source = self._placed(self._head)
        self._triangles = Delaunay(self._source).simplices

    def moved(self, pose: Pose) -> Pixels:
        """The picture with its face held as `pose` says; what lies away from the head stays where it is."""
        head = _turned(_expressed(self._head, pose), pose)
        depth = np.concatenate([head[:, 2], np.full(len(self._ring), -9.0)])
        order = np.argsort(depth[self._triangles].mean(axis=1))
        target = self._placed(head)
        drawn = _drawn(self.pixels, self._source, target, self._triangles[order])
        if pose.mouth_open > 0.1:
            drawn = _with_open_mouth(drawn, target[60:68])
        if pose.eyes_closed > 0.5:
            for eye in (target[36:40], target[42:46]):
                drawn = _painted(drawn, eye, (46, 22, 22), pose.lashes, line=True)
        return drawn

    def mouth_gap(self) -> float:
        """Inner lips apart ÷ inner mouth width, as the picture shows it."""
        p = self._head
        return float(np.hypot(*(p[62, :2] - p[66, :2])) / np.hypot(*(p[60, :2] - p[64, :2])))

    def _placed(self, head: Points) -> Points:
        return np.vstack([head[:, :2] * self._scale @ self._axes + self._centre, self._ring])


def _cheeks(face: Points) -> Points:
    rows = [face[a] * share + face[b] * (1 - share) for a, b, share, _ in _CHEEKS]
    for row, (_, _, _, depth) in zip(rows, _CHEEKS, strict=True):
        row[2] = depth
    return np.array(rows)


def _folds(face: Points) -> Points:
    return np.array([face[lid] * 0.67 + face[brow] * 0.33 for lid, brow in _FOLDS])


def _forehead(flat: Points) -> Points:
    """Points of the skull that landmarks lack: arcs above the brows, so that hair follows the head."""
    middle, half = (flat[16, 0] + flat[0, 0]) / 2, (flat[16, 0] - flat[0, 0]) / 2
    rows = []
    for rise, reach, depth in ((-0.62, 0.95, 0.08), (-1.15, 0.95, -0.15), (-1.75, 0.8, -0.7)):
        for step in np.linspace(-1, 1, 7):
            rows.append([middle + step * half * reach, rise + 0.25 * step**2, depth - 0.9 * step**2])
    return np.array(rows)


def _ring(shape: tuple[int, ...], centre: Points, scale: float) -> Points:
    """Points that never move: an ellipse well outside the head, and corners far outside the picture."""
    angles = np.linspace(0, 2 * np.pi, _RING, endpoint=False)
    ellipse = centre + scale * np.column_stack([2.6 * np.cos(angles), 0.3 + 3.2 * np.sin(angles)])
    height, width = shape[:2]
    far = 3 * max(height, width)
    corners = np.array([[-far, -far], [width + far, -far], [-far, height + far], [width + far, height + far]], float)
    return np.vstack([ellipse, corners])


def _expressed(head: Points, pose: Pose) -> Points:
    moved = head.copy()
    moved[_NOSE, 2] *= pose.relief
    width = float(np.hypot(*(head[60, :2] - head[64, :2])))
    for upper, lower in _LIDS:
        moved[upper] += pose.eyes_closed * (1 - pose.lower_lid) * (head[lower] - head[upper])
        moved[lower] += pose.eyes_closed * pose.lower_lid * (head[upper] - head[lower])
    moved[_BROWS, 1] += pose.brows_down
    for place, (lid, _) in enumerate(_FOLDS):
        moved[_FIRST_FOLD + place] += 0.67 * pose.fold_falls * (moved[lid] - head[lid])
    for index, share in _FALLING.items():
        moved[index, 1] += pose.mouth_open * width * share
    for index, share in _MOUTH_CORNERS.items():
        moved[index, 0] += max(pose.mouth_open, 0) * width * share
        moved[index, 1] += pose.mouth_open * width * 0.3
    return moved


def _turned(head: Points, pose: Pose) -> Points:
    yaw, nod = np.radians(pose.turn_degrees), np.radians(pose.nod_degrees)
    depth = head[:, 2] - _AXIS_DEPTH
    x = head[:, 0] * np.cos(yaw) + depth * np.sin(yaw)
    back = -head[:, 0] * np.sin(yaw) + depth * np.cos(yaw)
    y = head[:, 1] * np.cos(nod) + back * np.sin(nod)
    return np.column_stack([x, y, back * np.cos(nod) - head[:, 1] * np.sin(nod)])


def _drawn(pixels: Pixels, source: Points, target: Points, triangles: NDArray[np.int32]) -> Pixels:
    """Draw the triangles of `source` where `target` has their corners, in the given order."""
    height, width = pixels.shape[:2]
    from_y, from_x = np.mgrid[0:height, 0:width].astype(np.float32)
    moved = (np.abs(target - source).max(axis=1) > 0.01)[triangles].any(axis=1)
    to, where = target[triangles[moved]], source[triangles[moved]]
    edges = np.stack([to[:, 1] - to[:, 0], to[:, 2] - to[:, 0]], axis=2)
    for n in np.flatnonzero(np.abs(np.linalg.det(edges)) >= 0.5):
        left, top = np.maximum(np.floor(to[n].min(axis=0)).astype(int), 0)
        right, bottom = np.minimum(np.ceil(to[n].max(axis=0)).astype(int) + 1, [width, height])
        if right <= left or bottom <= top:
            continue
        # Shares b and c of the second and third corner, for each pixel of the triangle's rectangle.
        solve = np.linalg.inv(edges[n])
        x, y = np.arange(left, right) - to[n, 0, 0], np.arange(top, bottom)[:, None] - to[n, 0, 1]
        b, c = solve[0, 0] * x + solve[0, 1] * y, solve[1, 0] * x + solve[1, 1] * y
        hit = (b >= -0.001) & (c >= -0.001) & (b + c <= 1.001)
        first, second, third = where[n]
        for axis, come_from in ((0, from_x), (1, from_y)):
            spot = come_from[top:bottom, left:right]
            value = first[axis] + b * (second[axis] - first[axis]) + c * (third[axis] - first[axis])
            np.copyto(spot, value.astype(np.float32), where=hit)
    drawn = [map_coordinates(pixels[:, :, n], [from_y, from_x], order=1, mode="nearest") for n in range(3)]
    return np.stack(drawn, axis=2)


def _with_open_mouth(pixels: Pixels, lips: Points) -> Pixels:
    """Fill the inner lips (8 × 2) as an open mouth looks: dark, with a band of upper teeth."""
    down = np.array([0.0, 0.2 * (lips[6, 1] - lips[2, 1])])
    teeth = np.vstack([lips[1:4], (lips[1:4] + down)[::-1]])
    return _painted(_painted(pixels, lips, (15, 8, 8), 0.97), teeth, (205, 195, 185), 0.8)


def _painted(
    pixels: Pixels, shape: Points, colour: tuple[int, int, int], strength: float, *, line: bool = False
) -> Pixels:
    """Paint what lies inside `shape`, or along it, with a soft edge."""
    height, width = pixels.shape[:2]
    left, top = np.clip(np.floor(shape.min(axis=0)).astype(int) - 5, 0, [width - 1, height - 1])
    right, bottom = np.clip(np.ceil(shape.max(axis=0)).astype(int) + 5, [left + 1, top + 1], [width, height])
    mask = Image.new("L", (int(right - left), int(bottom - top)))
    corners = [(float(x - left), float(y - top)) for x, y in shape]
    pen = ImageDraw.Draw(mask)
    if line:
        pen.line(corners, fill=255, width=2)
    else:
        pen.polygon(corners, fill=255)
    share = np.asarray(mask.filter(ImageFilter.GaussianBlur(1.0)), np.float32)[..., None] / 255 * strength
    painted = pixels.copy()
    spot = painted[top:bottom, left:right]
    spot[:] = (spot * (1 - share) + np.array(colour, np.float32) * share).astype(np.uint8)
    return painted
