"""The body of one face worker process: receives a check, answers a verdict, keeps nothing.

Importing this module loads no face library; `serve` does, in its own process. The process gives up what it could leak
by: no core dump, no reading of its memory by others, bounded memory, and it ends with its parent.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from multiprocessing.connection import Connection

MEMORY_AT_MOST = 1_536 * 1024 * 1024  # address space, held by the kernel; 420 MB of it at rest, most never touched
# What a check may really take, measured in tests: the dearest picture allowed is a WebP of 50 megapixels, whose decoder
# holds three copies of it (930 MB in all); a JPEG or PNG of that size takes 400 to 570.
RESIDENT_AT_MOST = 1_000 * 1024 * 1024
_PR_SET_DUMPABLE = 4  # prctl(2)


def serve(connection: Connection) -> None:
    """Answer checks until the other end closes.

    Says ('ready', version) or ('missing', why) once; then for each (document, frames, challenge, policy, now) received
    answers ('verdict', FaceVerdict) or ('failed', name of the error's class).
    """
    _give_up_privileges()
    from backend.gateways.face_engine import EngineMissing, load_engine
    from backend.gateways.face_pipeline import verify

    try:
        engine = load_engine()
    except EngineMissing as missing:
        connection.send(("missing", str(missing)))
        return
    connection.send(("ready", engine.version))
    while True:
        try:
            document, frames, challenge, policy, now = connection.recv()
        except (EOFError, OSError):
            return
        answer: tuple[str, object]
        try:
            answer = ("verdict", verify(document, frames, challenge, policy, now))
        except Exception as error:  # its text may carry pixels' sizes or worse: the class alone leaves
            answer = ("failed", type(error).__name__)
        document = frames = None  # not to be held while waiting for the next check
        connection.send(answer)


def _give_up_privileges() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the web process; this one ends with it
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_AT_MOST, MEMORY_AT_MOST))
    os.nice(5)  # a page comes before a comparison
    try:
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        pass  # not Linux: the limit on core dumps remains
