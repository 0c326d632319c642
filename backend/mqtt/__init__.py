"""The door for locks: its own process, `python -m backend.mqtt`.

    broker → link (the only paho code) → bridge → router → handlers → one service each → commit → acknowledge
    outbox row → sender → sign → link → broker

Several bridges may run: each acts for the shards it owns by a lease (shards), and takes over when another dies. Only
locks come in here, by the topics of backend.wire.topics. You will not find a model, a rule, or a person's name.
"""
