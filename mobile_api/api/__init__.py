"""The JSON API: an endpoint is its contract (decorators) and a few lines that call one service.

Who may call what stands in backend/policy.toml, not here. Shapes of what comes in and goes out are in `schemas`;
`contract.py` holds the decorators, `parsing.py` turns a wrong shape into refusals, `description.py` makes the OpenAPI
document out of both.
"""
