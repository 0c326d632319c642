"""A person's own data on paper, made for their own phone; the window prints the same (window_files)."""

from __future__ import annotations

from backend.gateways.world import World
from backend.printing.personal import print_personal_paper
from backend.services.access_records import export_my_data
from backend.services.receipts import imprint
from backend.services.window_papers import export_sections

TITLE = ("安居保存的本人数据", "What Anju holds about me")


def print_my_data_pdf(world: World, *, account_id: str, language: str) -> bytes:
    """Everything Anju holds about the account's person (PIPL-45) as a PDF in 'zh' or 'en'; the number stays masked.

    Raises Refused print.no_font where nothing can be printed.
    """
    paper = imprint(world, language)  # first: what cannot be printed is not taken out
    data = export_my_data(world, account_id=account_id)
    holder = (data["identity"] or {}).get("name", "")
    return print_personal_paper(TITLE, holder, export_sections(data, language), paper, signed=False)
