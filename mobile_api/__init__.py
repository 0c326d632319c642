"""Door for landlords and tenants: the JSON API under /api/v1 (bearer tokens) and the mobile pages (cookie session).

Two ways in, one core: both call the same services. Nothing here decides a rule, touches a row or sends a message; you
will not find the staff's door here either (backend.console is its own app with its own secrets).
"""
