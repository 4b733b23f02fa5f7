"""What a project says about itself: where its migrations are, and under which names its databases are configured. Reads, copies no secret."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from driftflow.patterns import lazy_regex

SKIPPED = {"node_modules", "vendor", "dist", "build", "target", "venv", "site-packages", "__pycache__"}
DEPTH_MAX = 4
FOLDERS_MAX = 2_000


class FoundSource(NamedTuple):
    """A folder of migrations and the tool that wrote them; `folder` is relative to the project."""

    tool: str
    folder: str


class FoundDatabase(NamedTuple):
    """A setting that names a database. `url_env` is the variable's name; a URL is kept only where it holds no secret (a SQLite file)."""

    where: str
    url_env: str = ""
    url: str = ""
    dialect: str = ""


def find_sources(root: Path) -> list[FoundSource]:
    """Every folder that a reader recognises, the deepest only: a project's root looks like a tool's because of what is below it."""
    from driftflow.readers.common import names_remembered
    from driftflow.readers.sources import PLAIN, readers

    known = {name: reader for name, reader in sorted(readers().items()) if name != PLAIN}
    found: list[tuple[Path, str]] = []
    for folder in folders(root):
        with names_remembered():
            names = [name for name, reader in known.items() if reader.detect(folder)]
        if len(names) == 1:
            found = [(other, name) for other, name in found if not (name == names[0] and other in folder.parents)]
            found.append((folder, names[0]))
        elif not names and _looks_plain(folder):
            found.append((folder, PLAIN))
    tools = {folder for folder, name in found if name != PLAIN}
    kept = [(folder, name) for folder, name in found if name != PLAIN or not _below(folder, tools)]
    return [FoundSource(name, folder.relative_to(root).as_posix()) for folder, name in kept]


def _below(folder: Path, tools: set[Path]) -> bool:
    return any(tool == folder or tool in folder.parents for tool in tools)


def folders(root: Path) -> Iterator[Path]:
    """The folders of a project, parents first, as far as is worth looking."""
    for place, below, _ in itertools.islice(os.walk(root), FOLDERS_MAX):
        folder = Path(place)
        depth = len(folder.relative_to(root).parts)
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in SKIPPED and depth < DEPTH_MAX)
        yield folder


def _looks_plain(folder: Path) -> bool:
    """SQL files that are ordered by a number, in a folder whose name says what they are for: one is enough for `migrations`."""
    if not re.search(r"(?i)migrat|schema|sql|changes|deploy", folder.name):
        return False
    wanted = 1 if re.search(r"(?i)migrat", folder.name) else 2
    return sum(1 for file in folder.glob("*.sql") if re.match(r"[Vv]?\d", file.name)) >= wanted


URL_NAME = lazy_regex(
    r"(?m)^\s*(?:export\s+)?([A-Z][A-Z0-9_]*(?:DATABASE|DB|POSTGRES|PG)[A-Z0-9_]*UR[LI]|DATABASE_URL)\s*=\s*[\"']?(\S*)"
)
DOTENVS = (".env", ".env.example", ".env.sample", ".env.local", ".env.development")
COMPOSES = ("docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml")
CODE_ENV = lazy_regex(r"""env\(\s*["'](\w+)["']\s*\)|process\.env\.(\w*(?:URL|URI)\w*)|process\.env\[["'](\w+)["']\]""")
CODES = (
    "prisma/schema.prisma",
    "schema.prisma",
    "drizzle.config.ts",
    "drizzle.config.js",
    "drizzle.config.mjs",
    "db/drizzle.config.ts",
)
INI_URL = lazy_regex(r"(?m)^\s*sqlalchemy\.url\s*=\s*(\S+)")


def find_databases(root: Path) -> list[FoundDatabase]:
    """The settings that name a database, one per variable, in the order in which a person would think of them."""
    found: dict[str, FoundDatabase] = {}
    for database in (*_dotenv(root), *_compose(root), *_code(root), *_ini(root), *_files(root)):
        found.setdefault(database.url_env or database.url, database)
    return list(found.values())


SCHEMES = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mysql2": "mysql",
    "mariadb": "mariadb",
    "sqlite": "sqlite",
    "sqlite3": "sqlite",
    "file": "sqlite",
}
"""Of URLs in other tools' settings (mysql2 is what Rails and Node call it), and the dialect."""


def _texts(root: Path, names: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in names:
        path = root / name
        if path.is_file():
            yield name, path.read_text(encoding="utf-8", errors="replace")


def _dialect(url: str) -> str:
    scheme = url.partition(":")[0].partition("+")[0].lower()
    return SCHEMES.get(scheme, "")


def _dotenv(root: Path) -> Iterator[FoundDatabase]:
    for name, text in _texts(root, DOTENVS):
        for match in URL_NAME.finditer(text):
            yield FoundDatabase(where=name, url_env=match[1], dialect=_dialect(match[2]))


def dotenv_value(root: Path, variable: str) -> str:
    """The variable's value in the project's own .env, to test a connection with; it is never written anywhere."""
    for _, text in _texts(root, (".env", ".env.local")):
        for match in URL_NAME.finditer(text):
            if match[1] == variable:
                return match[2].strip("\"'")
    return ""


def _compose(root: Path) -> Iterator[FoundDatabase]:
    for name, text in _texts(root, COMPOSES):
        for match in re.finditer(r"(?m)^\s*-?\s*([A-Z][A-Z0-9_]*UR[LI])\s*[:=]\s*[\"']?(\w+(?:\+\w+)?)://", text):
            yield FoundDatabase(where=name, url_env=match[1], dialect=_dialect(match[2] + ":"))


def _code(root: Path) -> Iterator[FoundDatabase]:
    for name, text in _texts(root, CODES):
        provider = re.search(r"""(?:provider|dialect)\s*[=:]\s*["'](postgres\w*|sqlite|mysql|mariadb)["']""", text)
        for match in CODE_ENV.finditer(text):
            variable = match[1] or match[2] or match[3]
            yield FoundDatabase(where=name, url_env=variable, dialect=_dialect(f"{provider[1]}:") if provider else "")


def _ini(root: Path) -> Iterator[FoundDatabase]:
    for name, text in _texts(root, ("alembic.ini",)):
        for match in INI_URL.finditer(text):
            url = match[1]
            if _dialect(url) == "sqlite":
                yield FoundDatabase(where=name, url=url, dialect="sqlite")
            elif _dialect(url):
                # Its URL may hold a password: only the kind of server is taken over, the URL goes into a variable.
                yield FoundDatabase(where=name, url_env="DATABASE_URL", dialect=_dialect(url))


def _files(root: Path) -> Iterator[FoundDatabase]:
    """SQLite files in the project's folder, known by their first bytes."""
    for path in sorted((*root.glob("*.db"), *root.glob("*.sqlite"), *root.glob("*.sqlite3"))):
        if path.is_file():
            with path.open("rb") as handle:
                if handle.read(16) == b"SQLite format 3\x00":
                    yield FoundDatabase(where=path.name, url=f"sqlite:///{path.name}", dialect="sqlite")
