"""Where the configuration file is. Apart from its reading, so that it can be looked for without importing that."""

from __future__ import annotations

from pathlib import Path

FILE_NAME = "driftflow.toml"


def find_file(start: Path) -> Path | None:
    """`driftflow.toml` in `start` or a folder above it, as far as the root of the repository (a folder with `.git`)."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
        if (folder / ".git").exists():
            return None
    return None
