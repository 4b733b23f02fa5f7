"""Where the application's own files mention what a migration changes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from driftflow.model.finding import Reference

SKIPPED_FOLDERS = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "vendor",
        "dist",
        "build",
        "target",
        "__pycache__",
        ".tox",
        ".mypy_cache",
    }
)
CODE_SUFFIXES = frozenset(
    [
        ".py",
        ".pyi",
        ".rb",
        ".erb",
        ".js",
        ".jsx",
        ".mjs",
        ".cjs",
        ".ts",
        ".tsx",
        ".go",
        ".java",
        ".kt",
        ".kts",
        ".scala",
        ".cs",
        ".php",
        ".rs",
        ".ex",
        ".exs",
        ".clj",
        ".swift",
        ".c",
        ".cc",
        ".cpp",
        ".h",
        ".hpp",
        ".pl",
        ".lua",
        ".sql",
        ".graphql",
        ".prisma",
        ".xml",
        ".yml",
        ".yaml",
        ".twig",
        ".vue",
        ".svelte",
    ]
)
FILE_BYTES_MAX = 1_000_000
PER_NAME_MAX = 50


def find_references(root: Path, names: Mapping[str, Sequence[str]], *, exclude: Iterable[Path] = ()) -> tuple[Reference, ...]:
    """Lines that mention a table, and lines that mention one of its columns in a file that mentions the table.

    `names` maps a table to the columns that matter. At most 50 lines a name; `exclude` are folders to leave out (the migrations themselves).
    Unreadable and non-UTF-8 files are skipped: this is a search aid, not a check.
    """
    left_out = {folder.resolve() for folder in exclude}
    found: dict[str, list[Reference]] = {}
    for path in _code_files(root, left_out):
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        for table, columns in names.items():
            if not mentions(table).search(text):
                continue
            for name in (table, *columns):
                _collect(found.setdefault(f"{table}.{name}" if name != table else table, []), path.relative_to(root), text, name)
    return tuple(reference for name in sorted(found) for reference in found[name])


def _collect(into: list[Reference], path: Path, text: str, name: str) -> None:
    pattern = mentions(name)
    for number, line in enumerate(text.splitlines(), start=1):
        if len(into) >= PER_NAME_MAX:
            return
        if pattern.search(line):
            into.append(Reference(name=name, file=path.as_posix(), line=number, text=line.strip()[:160]))


def mentions(name: str) -> re.Pattern[str]:
    """The name as a word of its own, also as a camel-case model name: `order_items` finds `OrderItems` and `OrderItem`."""
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    singular = camel[:-1] if camel.endswith("s") else camel
    return re.compile(rf"(?<![\w])(?:{re.escape(name)}|{re.escape(camel)}|{re.escape(singular)})(?![\w])")


def _code_files(root: Path, left_out: set[Path]) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED_FOLDERS and not name.startswith(".") and (here / name).resolve() not in left_out
        )
        for name in sorted(files):
            path = here / name
            if path.suffix in CODE_SUFFIXES and path.stat().st_size <= FILE_BYTES_MAX and path.parent.resolve() not in left_out:
                yield path
