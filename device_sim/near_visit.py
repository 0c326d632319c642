"""One phone at one lock: brings its messages to the conversations they belong to, over a socket or over GATT alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.wire import near_messages
from backend.wire.near_messages import Collect
from device_sim.near_door import NearConversation

if TYPE_CHECKING:
    from device_sim.lock import Lock


class NearVisit:
    """As long as the phone stays connected. One conversation at a time; a greeting begins a new one."""

    def __init__(self, lock: Lock) -> None:
        self.lock = lock
        self._conversation: NearConversation | None = None

    def answer(self, message: bytes) -> bytes:
        """Let the lock answer one message. Raises MessageRejected; then the phone begins anew with its greeting."""
        conversation, self._conversation = self._conversation, None
        if conversation is not None and conversation.is_greeted:
            answer = conversation.request(message)
        elif isinstance(near_messages.decode_greeting(message), Collect) and conversation is not None:
            answer = conversation.hello(message)
        else:
            conversation = self.lock.near.greet()
            answer = conversation.hello(message)
        self._conversation = conversation
        return answer
