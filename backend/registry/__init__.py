"""The stand-in for the provincial residence registry: its own process, settings, database, clock and key.

Senders come in through signed calls under /v1; a batch is received at once and judged afterwards by a thread. It shares
nothing with the rest but the language in backend.wire. `/_sim` tells it how to fail; a real registry has no such door.
You will not find Anju's own records here, only what was sent.
"""
