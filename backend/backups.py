"""`./anju backup` and `./anju restore`: the databases, and the key ring apart from them.

Whoever holds the databases alone reads no ID number; whoever holds the keys alone has nobody's. One archive with both
would undo that, so a backup is two folders: STAMP/ with the databases and STAMP-keys/ with the keys, which belong on
different media. What the broker and the simulated locks keep is rebuilt from the database and not backed up.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backend.config import Settings, SettingsError
from backend.database_copies import CopyFailed, Database, copy_database, put_database
from backend.open_files import who_holds
from backend.processes import demo_environment
from backend.supervisor import is_running

FORMAT = 1
APART = (
    "Keep the two folders apart, on different media and with different people: the databases hold ID numbers "
    "encrypted, and only together with the keys can anybody read them."
)
REBUILT = "Not in a backup, because it is rebuilt: the broker's store (from the database) and the simulated locks."


class BackupRefused(Exception):
    """The backup cannot be made or put in place; the message says why and what to do."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `backup` or `restore`; returns the exit status."""
    options = parser().parse_args(arguments)
    os.umask(0o077)
    try:
        settings = installation_settings()
        if options.command == "backup":
            folder = Path(options.to) if options.to else settings.var.resolve().parent / "anju-backups"
            keys = Path(options.keys_to) if options.keys_to else folder
            print("\n".join(back_up(settings, folder, keys)))
        else:
            apart = Path(options.keys) if options.keys else None
            print("\n".join(restore(settings, Path(options.folder), apart)))
    except (BackupRefused, CopyFailed, SettingsError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The two commands' arguments."""
    made = argparse.ArgumentParser(prog="./anju", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    one = commands.add_parser("backup", help="copy the databases and, apart from them, the keys; may run at any time")
    one.add_argument("--to", help="folder for the databases' copy (default: anju-backups beside var/)")
    one.add_argument("--keys-to", help="folder for the keys' copy (default: the same, in a folder of its own)")
    two = commands.add_parser("restore", help="put a backup in place; nothing may be running")
    two.add_argument("folder", help="the folder STAMP that backup made")
    two.add_argument("--keys", help="the folder STAMP-keys, when it is not beside the other")
    return made


def installation_settings() -> Settings:
    """The settings of this installation; a backup sends nothing, so the demo's looser check is enough."""
    return Settings.from_environment(demo_environment())


def databases(settings: Settings) -> list[Database]:
    """The databases of this installation: the core's and, where it is here, the registry stand-in's."""
    found = [Database("anju", settings.database_url)]
    registry = os.environ.get("ANJU_REGISTRY_DATABASE_URL") or f"sqlite:///{settings.var / 'registry' / 'registry.db'}"
    return [*found, Database("registry", registry)]


def key_files(var: Path) -> list[Path]:
    """Every file of this installation that holds a key, or the public half that others know it by."""
    registry = var / "registry"  # the stand-in keeps its own; a real registry's keys are not ours
    found = [*(var / "keys").rglob("*"), *registry.glob("*.pem"), *registry.glob("*.jwks.json")]
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def back_up(settings: Settings, folder: Path, keys_folder: Path) -> list[str]:
    """Copy databases into folder/STAMP and keys into keys_folder/STAMP-keys; returns the lines to tell.

    The copies are consistent while everything runs. Raises BackupRefused or CopyFailed; nothing half done is left.
    """
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    data, keys = folder / stamp, keys_folder / f"{stamp}-keys"
    if not settings.keys_folder.is_dir():
        raise BackupRefused(f"There is no installation in {settings.var}: nothing to back up.")
    try:
        data.mkdir(mode=0o700, parents=True)
        keys.mkdir(mode=0o700, parents=True)
        # The keys first: a key that is rotated in between is then older than the data, and still in its ring.
        for path in key_files(settings.var):
            _copy_key(path, keys / path.relative_to(settings.var))
        _write_manifest(keys, stamp, {})
        for each in databases(settings):
            if each.exists():
                copy_database(each, data)
        _write_manifest(data, stamp, {"keys_sha256": _sha256(keys / "manifest.json")})
    except BaseException:
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(keys, ignore_errors=True)
        raise
    return [f"databases: {data}", f"keys:      {keys}", APART, REBUILT]


def restore(settings: Settings, data: Path, keys: Path | None) -> list[str]:
    """Put a backup in place of what is there, which is kept aside; returns the lines to tell.

    Raises BackupRefused when a process runs, a file is missing or differs from its hash, or the keys are another
    backup's.
    """
    refuse_while_running(settings)
    manifest = verified_manifest(data)
    keys = keys or data.with_name(data.name + "-keys")
    if not keys.is_dir():
        raise BackupRefused(f"The keys' folder {keys} is missing; name it with --keys.")
    keys_manifest = verified_manifest(keys)
    if _sha256(keys / "manifest.json") != manifest["keys_sha256"]:
        raise BackupRefused(f"The keys in {keys} belong to another backup than {data}; nothing was changed.")
    aside = settings.var / f"replaced-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S%fZ')}"
    aside.mkdir(mode=0o700, parents=True)
    for each in databases(settings):
        source = each.file_in(data)
        if source.exists():
            put_database(each, source, aside)
    for path in key_files(settings.var):
        _move(path, aside / path.relative_to(settings.var))
    for name in keys_manifest["files"]:
        _copy_key(keys / name, settings.var / name)
    (settings.var / "run" / "prepared").unlink(missing_ok=True)  # the next start looks over the databases
    return [f"The backup {manifest['made_at']} is in place.", f"What it replaced is kept in {aside}.", REBUILT]


def refuse_while_running(settings: Settings) -> None:
    """Raise BackupRefused when a process of this installation may be running."""
    if is_running(settings.var):
        raise BackupRefused("Anju is running: stop it (Ctrl-C there) before a restore.")
    for each in databases(settings):
        holder = who_holds({str(each.path.resolve())}) if each.path else None
        if holder:
            raise BackupRefused(f"{each.path} is in use by {holder}: stop it before a restore.")


def verified_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a backup's folder after comparing every file with it; raises BackupRefused on any difference."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text())
        files, form = dict(manifest["files"]), manifest["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise BackupRefused(f"{folder} is not a backup made by Anju (manifest.json is missing or damaged).") from None
    if form != FORMAT:
        raise BackupRefused(f"{folder} has format {form}; this version reads format {FORMAT}.")
    present = set(_names(folder))
    for name in sorted(present | set(files)):
        if name not in present:
            raise BackupRefused(f"{name} is missing in {folder}; nothing was changed.")
        if name not in files or _sha256(folder / name) != files[name]:
            raise BackupRefused(f"{name} in {folder} differs from what was backed up (hash); nothing was changed.")
    return dict(manifest)


def _write_manifest(folder: Path, stamp: str, more: dict[str, str]) -> None:
    files = {name: _sha256(folder / name) for name in _names(folder)}
    text = json.dumps({"format": FORMAT, "made_at": stamp, "files": files, **more}, indent=1)
    (folder / "manifest.json").write_text(text + "\n")


def _names(folder: Path) -> list[str]:
    """The files of a backup's folder without its manifest, as paths relative to it."""
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [name for name in found if name != "manifest.json"]


def _copy_key(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(source.read_bytes())
        file.flush()
        os.fsync(file.fileno())


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.replace(source, target)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.exit(main())
