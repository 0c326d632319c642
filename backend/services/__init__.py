"""Use cases: one function each, one transaction each.

Doors come in with plain values and get plain results; a refusal is raised as `Refused` with its reason. You will not
find HTTP, HTML, MQTT or JSON here.
"""
