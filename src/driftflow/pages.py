"""The documentation that travels with the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import driftflow


def docs() -> Path:
    """The folder: inside an installed package, or beside the source in a checkout."""
    package = Path(str(driftflow.__file__)).parent
    installed = package / "docs"
    return installed if installed.is_dir() else package.parents[1] / "docs"


@cache
def page_of(*place: str) -> str | None:
    """The Markdown of the page at this place below the folder, without `.md`; None where there is none (an extension has pages of its own)."""
    path = docs().joinpath(*place[:-1], f"{place[-1]}.md")
    return path.read_text(encoding="utf-8") if path.is_file() else None
