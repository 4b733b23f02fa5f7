"""A data directory as initdb leaves it, made once per version and copied for every server: 1 s becomes 0.1 s."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from driftflow.errors import ConfigError
from driftflow.lab import account
from driftflow.lab.binaries import Binaries

FORMAT = 1
"""Raise it when `initdb`'s arguments change, so that older templates are not used."""
SUPERUSER = "postgres"


@dataclass(frozen=True)
class Template:
    """A pristine data directory and the password of its superuser (for TCP; the socket's folder is private and needs none)."""

    data: Path
    password: str


def template(binaries: Binaries) -> Template:
    """The template for these programs, made when there is none yet."""
    built = int(binaries.program("initdb").stat().st_mtime)
    folder = account.lab_folder() / "templates" / f"{binaries.version}-{built}-{FORMAT}"
    if not (folder / "data" / "PG_VERSION").exists():
        _make(binaries, folder)
    return Template(folder / "data", (folder / "password").read_text().strip())


def copy(source: Template, data: Path) -> None:
    """A new data directory like the template."""
    shutil.copytree(source.data, data, symlinks=True)
    data.chmod(0o700)
    account.give_tree(data)


def _make(binaries: Binaries, folder: Path) -> None:
    partial = folder.with_name(f"{folder.name}.{os.getpid()}.{secrets.token_hex(4)}")
    partial.mkdir(mode=0o700)
    account.give(partial)
    password = partial / "password"
    password.touch(mode=0o600)
    password.write_text(secrets.token_hex(16) + "\n")
    account.give(password)
    _initdb(binaries, partial / "data", password)
    try:
        partial.rename(folder)
    except OSError:  # another process was faster; its template is as good
        account.remove(partial)


def _initdb(binaries: Binaries, data: Path, password: Path) -> None:
    command = [str(binaries.program("initdb")), "--pgdata", str(data), "--username", SUPERUSER]
    command += [
        "--encoding=UTF8",
        "--locale=C",
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        f"--pwfile={password}",
        "--no-sync",
    ]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, timeout=120, **account.process_arguments()
    )
    if result.returncode != 0:
        raise ConfigError(
            "DF-E442",
            f"initdb of PostgreSQL {binaries.version} failed",
            where=str(binaries.program("initdb")),
            why=result.stderr.strip() or result.stdout.strip(),
            hint="driftflow doctor --lab",
        )
