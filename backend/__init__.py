"""Anju's core: rules, memory, use cases, and the doors for officers, locks and the registry.

Importing this package starts nothing. Walk: door -> service -> domain and models; door -> query -> models.
You will not find the landlords' and tenants' door here (see mobile_api) nor a lock (see device_sim).
"""
