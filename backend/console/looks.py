"""How things look: icons as outlines in a square of 24, and the icon and tone of each state."""

from __future__ import annotations

ICONS = {
    "window": "M3 4h18v11H3ZM3 11h18M8 20h8M12 15v5M9 8a3 3 0 0 1 6 0",
    "ledger": "M4 21V9l8-5 8 5v12M2 21h20M9 21v-6h6v6M9 11h.1M15 11h.1",
    "cases": "M5 4h14v17H5ZM9 2.5h6v3H9ZM8.5 12l2 2 4.5-4.5M8.5 17.5h7",
    "reviews": "M3 5h18v14H3ZM7 15c0-3 5-3 5 0M9.5 11.2a1.4 1.4 0 1 0 0-2.8 1.4 1.4 0 0 0 0 2.8ZM14.5 9.5h4M14.5 13h4",
    "figures": "M4 20V4M4 20h16M8 16v-4M12 16V8M16 16v-6",
    "loop": "M17 3l3 3-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3 3-3M4 18h12a4 4 0 0 0 4-4v-1",
    "visits": "M12 21c-4-4.5-7-8-7-11.5a7 7 0 0 1 14 0C19 13 16 16.5 12 21ZM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
    "phone": "M7 2.5h10v19H7ZM11 18.5h2",
    "deadlines": "M12 21a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17ZM12 8v5l3 2M3 4l3-2M21 4l-3-2",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13ZM15.5 15.5 21 21",
    "sync": "M4 12a8 8 0 0 1 14-5.3L20 9M20 4v5h-5M20 12a8 8 0 0 1-14 5.3L4 15M4 20v-5h5",
    "staff": "M8 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM2 21c0-7 12-7 12 0M17 8v6M14 11h6",
    "key": "M8 15.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM12.5 11H22M18 11v4M21.5 11v3",
    "lock": "M6 11h12v9H6ZM8.5 11V8a3.5 3.5 0 0 1 7 0v3M12 14.5v2.5",
    "discrepancies": "M4 8h11M4 16h16M12 4.5 15.5 8 12 11.5M20 12.5 16.5 16l3.5 3.5",
    "agreements": "M6 3h9l4 4v14H6ZM15 3v4h4M9 12h7M9 15.5h4M13 19l2 1.5 4-4",
    "standards": "M3 16 16 3l5 5L8 21ZM7 12l2 2M10.5 8.5l2.5 2.5M14 5l2 2",
    "audit": "M12 3l8 3v6c0 5-3.5 7.8-8 9-4.5-1.2-8-4-8-9V6ZM8.5 12l2.5 2.5 4.5-5",
    "alert": "M12 3.5 22 20.5H2ZM12 10v4.5M12 17.6v.1",
    "check": "M4.5 12.5 10 18 20 6.5",
    "clock": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 7v5.5l3.5 2",
    "cross": "M6 6l12 12M18 6 6 18",
    "dash": "M5 12h14",
    "map": "M3 6l6-3 6 3 6-3v15l-6 3-6-3-6 3ZM9 3v15M15 6v15",
    "list": "M8 6h13M8 12h13M8 18h13M3.5 6h.1M3.5 12h.1M3.5 18h.1",
    "eye": "M2 12c4-8 16-8 20 0-4 8-16 8-20 0ZM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6Z",
    "forward": "M9 5l7 7-7 7",
    "back": "M15 5l-7 7 7 7",
    "out": "M13 4H5v16h8M10 12h11M17.5 8.5 21 12l-3.5 3.5",
    "printer": "M7 9V3h10v6M7 18H3V9h18v9h-4M7 14h10v7H7Z",
    "people": "M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM2.5 20c0-7 13-7 13 0M16 5a3.2 3.2 0 0 1 0 6.2M18 14.5 "
    "c2.3.8 3.5 2.8 3.5 5.5",
    "scales": "M12 3v18M7 21h10M4 7h16M4 7l-2.5 6a3 3 0 0 0 5 0ZM20 7l2.5 6a3 3 0 0 1-5 0Z",
    "target": "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM12 12.1v-.1",
}
# Icon and tone of each state: never colour alone.
UNIT_LOOKS = {
    "not_enrolled": ("dash", "none"),
    "no_one_registered": ("dash", "empty"),
    "registered": ("check", "good"),
    "overdue": ("clock", "bad"),
    "disputed": ("scales", "bad"),
    "over_capacity": ("people", "bad"),
    "headcount_differs": ("people", "bad"),
}
# On the map each state has a letter and a shape of its own: (Chinese, English, outline in a square of 28).
MAP_MARKS = {
    "disputed": ("争", "D", "M14 1 27 14 14 27 1 14Z"),
    "overdue": ("逾", "O", "M14 1 28 26H0Z"),
    "over_capacity": ("超", "C", "M2 2h24v24H2Z"),
    "headcount_differs": ("数", "H", "M7.5 2h13L27 14l-6.5 12h-13L1 14Z"),
    "registered": ("登", "R", "M14 1a13 13 0 1 0 0 26 13 13 0 0 0 0-26Z"),
    "no_one_registered": ("空", "N", "M14 1a13 13 0 1 0 0 26 13 13 0 0 0 0-26Z"),
    "not_enrolled": ("未", "–", "M4 4h20v20H4Z"),
}
REGISTRATION_LOOKS = {
    "registered": ("check", "good"),
    "declared": ("clock", "going"),
    "sent": ("clock", "going"),
    "rejected": ("alert", "bad"),
    "disputed": ("scales", "bad"),
}
