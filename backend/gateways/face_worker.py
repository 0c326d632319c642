"""The body of one face worker process: receives a question about pictures, answers it, keeps nothing.

Importing this module loads no face library; `serve` does, in its own process. The process gives up what it could leak
by: no core dump, no reading of its memory by others, bounded memory, and it ends with its parent.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection

MEMORY_AT_MOST = 1_536 * 1024 * 1024  # address space, held by the kernel; 420 MB of it at rest, most never touched
# What a check may really take, measured in tests: the dearest picture allowed is a WebP of 50 megapixels, whose decoder
# holds three copies of it (930 MB in all); a JPEG or PNG of that size takes 400 to 570.
RESIDENT_AT_MOST = 1_000 * 1024 * 1024
_PR_SET_DUMPABLE = 4  # prctl(2)


def serve(connection: Connection) -> None:
    """Answer until the other end closes.

    Says ('ready', version) or ('missing', why) once; then for each (question, arguments) received, the arguments being
    those of 'verify' or 'judge_document' in face_pipeline, answers ('done', what that returns) or ('failed', name of
    the error's class).
    """
    _give_up_privileges()
    from backend.gateways.face_engine import EngineMissing, load_engine
    from backend.gateways.face_pipeline import judge_document, verify

    try:
        engine = load_engine()
    except EngineMissing as missing:
        connection.send(("missing", str(missing)))
        return
    connection.send(("ready", engine.version))
    answers: dict[str, Callable[..., object]] = {"verify": verify, "judge_document": judge_document}
    while True:
        try:
            question, arguments = connection.recv()
        except (EOFError, OSError):
            return
        answer: tuple[str, object]
        try:
            answer = ("done", answers[question](*arguments))
        except Exception as error:  # its text may carry pixels' sizes or worse: the class alone leaves
            answer = ("failed", type(error).__name__)
        arguments = None  # pictures are not to be held while waiting for the next question
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
