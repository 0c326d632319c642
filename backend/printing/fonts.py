"""The font that papers are printed with: one that has Chinese and Latin letters, found on the machine."""

from __future__ import annotations

from pathlib import Path

# Free fonts with both scripts, by the file name their packages give them; the first one found is taken.
FILES = (
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "NotoSansSC-Regular.ttf",
    "SourceHanSansSC-Regular.otf",
    "SourceHanSansCN-Regular.otf",
    "DroidSansFallbackFull.ttf",
)
FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts")


class FontMissing(Exception):
    """There is no font to print Chinese with; the message says what to do."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"No font with Chinese letters {where}: install the package fonts-wqy-microhei or set ANJU_PRINT_FONT to a "
            "TrueType or OpenType file. Pages can still be printed from the browser."
        )


def find_font(chosen: str = "", folders: tuple[str, ...] = FOLDERS) -> Path:
    """The file named by the setting, else the first of FILES below `folders`. Raises FontMissing."""
    if chosen:
        path = Path(chosen).expanduser()
        if not path.is_file():
            raise FontMissing(f"stands at {chosen}")
        return path
    found: dict[str, Path] = {}
    for folder in folders:
        place = Path(folder).expanduser()
        if place.is_dir():
            for path in sorted(place.rglob("*.[to]t[cf]")):
                found.setdefault(path.name, path)
    for name in FILES:
        if name in found:
            return found[name]
    raise FontMissing("was found on this machine")
