"""One handler per kind of message from a lock: calls one service, sends the answer the service made, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backend.gateways.world import World
from backend.mqtt.router import Routed
from backend.services import lock_logs, lock_reports, lock_sending
from backend.wire import lock_messages as messages
from backend.wire import topics
from backend.wire.topics import Channel

Publish = Callable[[str, Channel, bytes], bool]


class Handlers:
    """The handlers with the world they act in; `publish` sends a message to a lock."""

    def __init__(self, world: World, publish: Publish) -> None:
        self._world = world
        self._publish = publish

    def on_presence(self, routed: Routed) -> None:
        """Birth, goodbye or will. A birth is answered with how far its log is stored, and its configuration."""
        lock_id, message = routed.lock_id, routed.message
        if isinstance(message, messages.Departure):
            lock_reports.record_departure(self._world, lock_id, message, last_word=routed.retained)
            return
        answer = lock_reports.record_birth(self._world, lock_id, message)
        if answer is not None:
            self._publish(lock_id, topics.ACKNOWLEDGE, messages.encode(answer))
            self._send(lock_sending.sign_config(self._world, lock_id, message.config_version))

    def on_result(self, routed: Routed) -> None:
        """What became of a command."""
        lock_reports.record_command_result(self._world, routed.lock_id, routed.message)

    def on_reported_keys(self, routed: Routed) -> None:
        """What a lock holds."""
        lock_reports.record_reported_keys(self._world, routed.lock_id, routed.message)

    def on_telemetry(self, routed: Routed) -> None:
        """A lock's health."""
        lock_reports.record_telemetry(self._world, routed.lock_id, routed.message)

    def on_time_request(self, routed: Routed) -> None:
        """A lock asks for the time; nothing is stored."""
        self._send(lock_sending.sign_time(self._world, routed.lock_id, routed.message.nonce))

    def on_events(self, batches: Sequence[tuple[str, messages.EventBatch]]) -> None:
        """Events of many locks at once; each lock is told how far its log is stored, after the commit."""
        for lock_id, answer in lock_logs.record_events(self._world, batches):
            self._publish(lock_id, topics.ACKNOWLEDGE, messages.encode(answer))

    def on_rejected(self, lock_id: str, path: str, reason: str) -> None:
        """A message that could not be read: an operator sees which lock and why, never the content."""
        lock_reports.record_rejected_message(self._world, lock_id, path, reason)

    def table(self) -> dict[str, Callable[[Routed], None]]:
        """Channel path → handler of one message; events are missing, since they are handled together."""
        return {
            topics.PRESENCE.path: self.on_presence,
            topics.RESULT.path: self.on_result,
            topics.REPORTED_KEYS.path: self.on_reported_keys,
            topics.TELEMETRY.path: self.on_telemetry,
            topics.TIME_REQUEST.path: self.on_time_request,
        }

    def _send(self, outgoing: lock_sending.Outgoing | None) -> None:
        if outgoing is not None:
            payload = messages.encode(messages.Signed(outgoing.token))
            self._publish(outgoing.lock_id, outgoing.channel, payload)
