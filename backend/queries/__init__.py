"""Questions: read-only answers for the screens, as plain frozen values.

A question that would disclose a person is not here: services ask it, because the audit leaf comes first.
"""
