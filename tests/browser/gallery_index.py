"""The gallery's index: every picture, the modes of one page beside each other."""

from __future__ import annotations

import re
from collections import defaultdict
from html import escape
from pathlib import Path

MODE = re.compile(r"-(zh|en)(-elder)?$")
HEAD = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Anju: pages</title>
<style>body{font:15px system-ui;margin:2rem;background:#eee}section{margin-bottom:3rem}
div{display:flex;gap:1rem;align-items:flex-start;overflow-x:auto}figure{margin:0;flex:none}
img{width:260px;border:1px solid #999;background:#fff}figcaption{color:#444}h2{font-size:1rem}</style>
"""


def write_index(folder: Path) -> None:
    """Write index.html over all pictures below `folder`."""
    pages: dict[str, list[tuple[str, Path]]] = defaultdict(list)
    for picture in sorted(folder.rglob("*.png")):
        mode = MODE.search(picture.stem)
        pages[MODE.sub("", picture.stem)].append((mode[0][1:] if mode else "", picture.relative_to(folder)))
    parts = [HEAD, f"<h1>{sum(map(len, pages.values()))} pictures of {len(pages)} pages</h1>"]
    for name in sorted(pages):
        shown = "".join(
            f'<figure><figcaption>{escape(mode)}</figcaption><a href="{escape(str(path))}">'
            f'<img loading="lazy" src="{escape(str(path))}" alt="{escape(name)} {escape(mode)}"></a></figure>'
            for mode, path in pages[name]
        )
        parts.append(f"<section><h2>{escape(name)}</h2><div>{shown}</div></section>")
    (folder / "index.html").write_text("\n".join(parts), encoding="utf-8")
