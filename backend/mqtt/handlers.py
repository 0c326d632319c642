"""One handler per kind of message from a lock: calls one service, sends the answer the service made, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backend.gateways.world import World
from backend.mqtt.router import Routed, Unread
from backend.mqtt.shards import EveryShard, Shards
from backend.services import lock_logs, lock_reports, lock_sending
from backend.wire import lock_messages as messages
from backend.wire import topics
from backend.wire.topics import Channel

Publish = Callable[[str, Channel, bytes], bool]


class Handlers:
    """The handlers with the world they act in; `publish` sends a message to a lock, `shards` says whose are ours."""

    def __init__(self, world: World, publish: Publish, shards: Shards | None = None) -> None:
        self._world = world
        self._send_raw = publish
        self._shards = shards or EveryShard()

    def on_presence(self, routed: Routed) -> None:
        """Birth, goodbye or will. A birth is answered with how far its log is stored, and its configuration."""
        lock_id, message = routed.lock_id, routed.message
        fence = self._shards.fence_of(lock_id)
        if isinstance(message, messages.Departure):
            lock_reports.record_departure(self._world, lock_id, message, last_word=routed.retained, fence=fence)
            return
        answer = lock_reports.record_birth(self._world, lock_id, message, fence=fence)
        if answer is not None:
            self._publish(lock_id, topics.ACKNOWLEDGE, messages.encode(answer))
            self._send(lock_sending.sign_config(self._world, lock_id, message.config_version))

    def on_result(self, routed: Routed) -> None:
        """What became of a command."""
        lock_reports.record_command_result(self._world, routed.lock_id, routed.message)

    def on_reported_keys(self, routed: Routed) -> None:
        """What a lock holds."""
        fence = self._shards.fence_of(routed.lock_id)
        lock_reports.record_reported_keys(self._world, routed.lock_id, routed.message, fence=fence)

    def on_telemetry(self, routed: Routed) -> None:
        """A lock's health."""
        fence = self._shards.fence_of(routed.lock_id)
        lock_reports.record_telemetry(self._world, routed.lock_id, routed.message, fence=fence)

    def on_time_request(self, routed: Routed) -> None:
        """A lock asks for the time; nothing is stored."""
        self._send(lock_sending.sign_time(self._world, routed.lock_id, routed.message.nonce))

    def on_events(self, batches: Sequence[tuple[str, messages.EventBatch]]) -> int:
        """Events of many locks at once; each lock is told how far its log is stored, after the commit.

        Answers how many batches were of no lock in use.
        """
        stored = lock_logs.record_events(self._world, batches)
        for lock_id, answer in stored:
            self._publish(lock_id, topics.ACKNOWLEDGE, messages.encode(answer))
        known = {lock_id for lock_id, _ in stored}
        return sum(lock_id not in known for lock_id, _ in batches)

    def on_rejected(self, unread: Unread) -> None:
        """A message that could not be read: an operator sees which lock, why and how big, never the content."""
        if unread.lock_id is not None:
            lock_reports.record_rejected_message(
                self._world, unread.lock_id, unread.path, unread.reason, size=unread.size, digest=unread.digest
            )

    def table(self) -> dict[str, Callable[[Routed], None]]:
        """Channel path → handler of one message; events are missing, since they are handled together."""
        return {
            topics.PRESENCE.path: self.on_presence,
            topics.RESULT.path: self.on_result,
            topics.REPORTED_KEYS.path: self.on_reported_keys,
            topics.TELEMETRY.path: self.on_telemetry,
            topics.TIME_REQUEST.path: self.on_time_request,
        }

    def _publish(self, lock_id: str, channel: Channel, payload: bytes) -> None:
        if self._shards.holds(lock_id):  # else another bridge speaks to it by now
            self._send_raw(lock_id, channel, payload)

    def _send(self, outgoing: lock_sending.Outgoing | None) -> None:
        if outgoing is not None:
            payload = messages.encode(messages.Signed(outgoing.token))
            self._publish(outgoing.lock_id, outgoing.channel, payload)
