"""Loads the face library where it is imported: in the fork server, once, so that each worker starts warm.

Nobody else imports this module. When the library is missing the fork server goes on without it, and each worker says
so itself.
"""

from __future__ import annotations

import contextlib

import backend.gateways.face_pipeline  # noqa: F401 (workers find it loaded)
from backend.gateways.face_engine import EngineMissing, load_engine

with contextlib.suppress(EngineMissing):
    load_engine()
