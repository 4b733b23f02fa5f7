"""What all readers do alike: find the folder, refuse options nobody knows, split a file, and build the Migration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path, PurePosixPath
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.dialects.directives import LEADING, file_directives
from driftflow.errors import SourceError, printable
from driftflow.model.migration import Migration, Statement
from driftflow.model.record import replace
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Reader, SourceOptions
from driftflow.readers.files import Listing, ReadInPart, SourceFile, read_file, shown_path

SNIFF_BYTES = 8_192
_TRANSACTION_WORD = lazy_regex(r"\s*(?:begin|start\s+transaction|commit|end|rollback)\b(?!\s+atomic)", re.IGNORECASE)

# What PostgreSQL refuses inside a transaction block. The server has the last word; this only guides how a file is read.
_ALONE_POSTGRESQL = lazy_regex(
    r"""\s*(?:
        (?:create|drop)\s+(?:unique\s+)?index\s+concurrently\b
      | reindex\s+(?:\([^)]*+\)\s*|verbose\s+)?(?:\w+\s+concurrently\b|schema\b|database\b|system\b)
      | reindex\s+\([^)]*?concurrently
      | vacuum\b | alter\s+system\b | discard\s+all\b
      | (?:create|drop)\s+(?:database|tablespace|subscription)\b
      | alter\s+table\b(?>.*?\bdetach\s+partition\b).*?\bconcurrently\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_ALONE_SQLITE = lazy_regex(
    r"\s*(?:vacuum\b|attach\b|detach\b|pragma\s+(?:\w+\s*\.\s*)?(?:foreign_keys|journal_mode)\b)", re.IGNORECASE
)


def check_options(reader: str, options: SourceOptions, known: Iterable[str]) -> None:
    """Raise SourceError (DF-E228) for an option that the reader does not know: a typing error must not change what runs."""
    names = sorted(known)
    for name in options.options:
        if name not in names:
            raise SourceError(
                "DF-E228",
                f"the reader {reader} has no option {name}",
                where="[sources.NAME.options] of driftflow.toml",
                why=f"known options: {', '.join(names)}" if names else "it has none",
                hint="correct or remove it",
            )


def flag(options: SourceOptions, name: str, *, default: bool = False) -> bool:
    """A true/false option. Raises SourceError (DF-E228) for anything else."""
    match options.options.get(name, "").strip().lower():
        case "":
            return default
        case "true" | "1" | "yes" | "on":
            return True
        case "false" | "0" | "no" | "off":
            return False
        case other:
            raise SourceError(
                "DF-E228",
                f"the option {name} is true or false, not {other}",
                where="[sources.NAME.options] of driftflow.toml",
                hint=f"write {name} = true or {name} = false, then: driftflow sources",
            )


def locate(folder: Path, places: Sequence[str], fits: Callable[[Path], bool], *, above: int = 1) -> Path | None:
    """The folder, or the first well-known place below it, that looks right. For a file, the folder that holds it.

    `above` is 2 where each migration is a folder of its own.
    """
    candidates = [folder.absolute().parents[above - 1]] if folder.is_file() else [folder, *(folder / place for place in places)]
    return next((one for one in candidates if one.is_dir() and fits(one)), None)


def of_file(one: Reader, path: Path, dialect: Dialect, options: SourceOptions, *, above: int = 1) -> tuple[Migration, ...]:
    """The migration of one file, read among its neighbours: a tool's file means something only in its folder.

    `above` is 2 where each migration is a folder of its own.
    """
    shown = PurePosixPath(options.path if options.path not in {"", "."} else path.as_posix())
    base = shown.parents[above - 1] if len(shown.parents) >= above else PurePosixPath()
    wanted = {str(shown)} if above == 1 else {str(shown.parent / name) for name in ("up.sql", "migration.sql")}
    try:
        migrations = one.read(path.absolute().parents[above - 1], dialect, replace(options, path=str(base)))
    except ReadInPart as group:
        raise ReadInPart(str(base), group.faults, tuple(one for one in group.read if one.path in wanted)) from None
    return tuple(migration for migration in migrations if migration.path in wanted)


_SEEN: ContextVar[dict[Path, Listing] | None] = ContextVar("seen", default=None)
"""What is in the folders that detectors have asked for, while one question is put to all of them."""


@contextmanager
def names_remembered() -> Iterator[None]:
    """Each detector looks at the same folders: they are read once."""
    before = _SEEN.set({})
    try:
        yield
    finally:
        _SEEN.reset(before)


def names_in(folder: Path) -> list[str]:
    """Names in a folder for a detector."""
    return _listing(folder).names


def folders_holding(folder: Path, name: str) -> Iterator[str]:
    """Those inside the folder that hold such a file."""
    return (one for one in _listing(folder).others if Path(folder, one, name).is_file())


def _listing(folder: Path) -> Listing:
    """An unreadable folder is simply not this tool's."""
    seen = _SEEN.get()
    if seen is not None and folder in seen:
        return seen[folder]
    try:
        found = Listing.of(folder)
    except OSError:
        found = Listing([], [])
    if seen is not None:
        seen[folder] = found
    return found


def sniff(path: Path) -> str:
    """The first lines of a file for a detector; empty when it cannot be read, or is a pipe that nobody may ever write to."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as stream:
            return stream.read(SNIFF_BYTES).decode("utf-8", errors="replace")
    except OSError:
        return ""


def settings_in(path: Path, shown: str, *, tool: str = "") -> dict[str, Any]:
    """A tool's own settings in TOML. Raises SourceError (DF-E230), which says with `tool` what the tool itself does with such a file."""
    import tomllib

    try:
        return tomllib.loads(read_file(path, shown).text)
    except tomllib.TOMLDecodeError as fault:
        raise SourceError(
            "DF-E230",
            "a settings file cannot be read",
            where=shown,
            why=f"{fault}{tool}",
            hint=f"correct {shown}, then: driftflow sources",
        ) from fault


def shown_below(options: SourceOptions, folder: Path, found: Path, relative: str) -> str:
    """The path to show for `found/relative`, where `found` is the folder or a place below it."""
    inner = found.relative_to(folder).as_posix()
    return shown_path(options.path, relative if inner == "." else f"{inner}/{relative}")


def nothing_found(reader: str, shown: str, what: str) -> SourceError:
    return SourceError(
        "DF-E221",
        f"no {reader} migrations were found",
        where=shown,
        why=f"there is no {what}",
        hint="set path in [sources.NAME] of driftflow.toml, or run driftflow init",
    )


def duplicate(reader: str, version: str, first: str, second: str) -> SourceError:
    return SourceError(
        "DF-E226",
        f"two migrations have the version {version}",
        where=f"{first}\n{second}",
        why=f"{reader} tells migrations apart by their version alone",
        hint="give the later one a new version",
    )


def refuse_duplicates(
    reader: str, migrations: Iterable[Migration], *, key: Callable[[Migration], object] = lambda one: one.id
) -> list[SourceError]:
    """One DF-E226 for each migration whose version another one has already."""
    seen: dict[object, Migration] = {}
    faults = []
    for migration in migrations:
        first = seen.setdefault(key(migration), migration)
        if first is not migration:
            faults.append(duplicate(reader, migration.id, first.path, migration.path))
    return faults


def bad_name(reader: str, shown: str, expected: str) -> SourceError:
    return SourceError(
        "DF-E227",
        "a file name does not say which version it is",
        where=shown,
        why=f"{reader} expects {expected}",
        hint="rename the file, or move it out of the migrations folder",
    )


def controls_transactions(statements: Sequence[Statement]) -> bool:
    """Whether the file says BEGIN or COMMIT itself."""
    return any(_TRANSACTION_WORD.match(_bare(one.sql)) for one in statements)


def runs_alone(sql: str, dialect: str) -> bool:
    """Whether the statement is of a kind that cannot run inside a transaction block (on SQLite: has no effect there)."""
    pattern = _ALONE_POSTGRESQL if dialect == "postgresql" else _ALONE_SQLITE
    return pattern.match(_bare(sql)) is not None


def _bare(sql: str) -> str:
    """The text behind leading comments."""
    if sql[:1].isalpha():
        return sql
    at = 0
    while match := LEADING.match(sql, at):
        at = match.end()
    return sql[at:]


def build(
    *,
    source: str,
    id: str,
    name: str,
    file: SourceFile,
    dialect: Dialect,
    order_key: tuple[int | str, ...],
    statements: tuple[Statement, ...],
    transaction: str,
    together: bool = False,
    down: tuple[Statement, ...] = (),
    checksum: str = "",
    sha256: str = "",
    depends_on: tuple[str, ...] = (),
    repeatable: bool = False,
    native: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> Migration:
    """The Migration of one file; what is not given comes from the file's bytes. Raises SourceError (DF-E245) for a name that is no text."""
    if any(printable(word) != word for word in (id, name, *(native or {}).values())):
        raise SourceError(
            "DF-E245",
            "the file's name is not UTF-8",
            where=file.shown,
            why="the name becomes the migration's version, which a version table and a report hold as text",
            hint="rename the file; then: driftflow sources",
        )
    digest = sha256 or file.sha256
    return Migration(
        id=id,
        name=name,
        source=source,
        path=file.shown,
        dialect=dialect.name,
        order_key=order_key,
        statements=statements,
        down=down,
        depends_on=depends_on,
        transaction=transaction,  # type: ignore[arg-type]
        together=together,
        checksum=checksum or digest,
        sha256=digest,
        directives=file_directives(file.piece()),
        repeatable=repeatable,
        native=native or {},
        notes=notes,
    )
