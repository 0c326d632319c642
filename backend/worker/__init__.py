"""The worker: work that waits for no request. It tells the registry, sends short messages, seals the audit log, and
keeps deadlines and expiries.

Its loops only call services and queries; a wake-up after a commit starts them at once, a sweep each second covers a
lost one. You will not find a rule here, nor anything about locks (see backend.mqtt).
"""
