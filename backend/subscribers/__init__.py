"""Stand-ins for three other offices: the housing authority, the precinct's own module, the address office.

Anju delivers to them under /hooks, as it would to a real office, and they report back through the offices' door. Each
verifies, deduplicates and keeps its own; a page shows, masked, what each holds. `/_sim` tells them how to fail; a real
office has no such door. You will not find Anju's rows or rules here, only what an office can know.
"""
