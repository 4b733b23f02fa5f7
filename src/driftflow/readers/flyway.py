"""Flyway: `V<version>__description.sql`, `R__`, `U`, `B`, below one or more folders, versions compared number by number.

Source: Flyway's documentation and `flyway-core`, `flyway-database-postgresql` (`PostgreSQLParser` for what runs outside a transaction).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.readers.base import SourceOptions, reader
from driftflow.readers.common import (
    bad_name,
    build,
    check_options,
    flag,
    names_in,
    nothing_found,
    of_file,
    refuse_duplicates,
    runs_alone,
    shown_below,
)
from driftflow.readers.files import Faults, SourceFile, read_file, walk_files
from driftflow.readers.flyway_ledger import BASELINE_SCRIPT, REPEATABLE, FlywayLedger
from driftflow.readers.flyway_names import Naming, Script, checksum, version_key
from driftflow.readers.variables import substitute_flyway

PLACES = ("src/main/resources/db/migration", "db/migration", "sql", "migrations")
_OPTIONS = {
    *("sql_migration_prefix", "undo_sql_migration_prefix", "repeatable_sql_migration_prefix", "baseline_migration_prefix"),
    *("sql_migration_separator", "sql_migration_suffix", "placeholder_replacement", "placeholder_prefix", "placeholder_suffix"),
    *("mixed", "group", "out_of_order", "validate", "callbacks"),
}


@reader("flyway")
class FlywayReader:
    """`db/migration/V1_2__add_orders.sql`."""

    name = "flyway"

    def detect(self, folder: Path) -> bool:
        return _locate(folder) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options)
        check_options(self.name, options, _OPTIONS)
        found = _locate(folder) or folder
        faults = Faults()
        scripts = _scripts(folder, found, options, faults)
        undo = {script.version: file for script, file, _ in scripts if script.kind == "undo"}
        callbacks = tuple(file.shown for script, file, _ in scripts if script.kind == "callback")
        migrations = []
        for script, file, path in scripts:
            if script.kind in {"versioned", "repeatable", "baseline"}:
                with faults.collect():
                    down = undo.get(script.version) if script.kind == "versioned" else None
                    native = {"script": path.relative_to(found).as_posix(), "type": _TYPES[script.kind]}
                    conf = _conf(path)
                    migrations.append(
                        _migration(script, file, dialect, options, down=down, native=native, conf=conf, callbacks=callbacks)
                    )
        if not migrations and not faults.found:
            raise nothing_found(self.name, options.path, "file like V1__description.sql")
        migrations.sort(key=lambda one: one.order_key)
        faults.found += refuse_duplicates(self.name, migrations, key=lambda one: one.order_key)
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> FlywayLedger:
        return FlywayLedger(dialect, options, schema=schema)


_TYPES: Mapping[str, str] = {"versioned": "SQL", "repeatable": "SQL", "baseline": "SQL_BASELINE"}


def _locate(folder: Path) -> Path | None:
    """The well-known place, else the folder itself: what is below a place counts too, what is below a project's folder does not."""
    if folder.is_file():
        folder = folder.parent
    deep = next((folder / place for place in PLACES if (folder / place).is_dir() and _fits(folder / place)), None)
    naming = Naming()  # whose prefixes are letters
    names = [name for name in names_in(folder) if not name[0].isdigit()]
    return deep or (folder if any(isinstance(naming.parse(name), Script) for name in names) else None)


def _fits(place: Path) -> bool:
    try:
        return any(isinstance(Naming().parse(path.name), Script) for path, _ in walk_files(place, place.name))
    except SourceError:
        return False


def _scripts(folder: Path, found: Path, options: SourceOptions, faults: Faults) -> list[tuple[Script, SourceFile, Path]]:
    naming = Naming.of(options.options)
    scripts = []
    with faults.collect():
        for path, relative in walk_files(found, options.path):
            shown = shown_below(options, folder, found, relative)
            match naming.parse(path.name):
                case Script() as script:
                    with faults.collect():
                        scripts.append((script, read_file(path, shown), path))
                case str() as why:
                    faults.found.append(bad_name("Flyway", shown, f"V1__description.sql; {why}"))
    return scripts


def _conf(path: Path) -> dict[str, str]:
    """The script's own settings, `V2__x.sql.conf`: `key=value` lines."""
    beside = path.with_name(path.name + ".conf")
    if not beside.is_file():
        return {}
    lines = read_file(beside, str(beside)).text.splitlines()
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith(("#", "!")))
    return {key.strip(): value.strip() for key, _, value in pairs}


def _migration(
    script: Script,
    file: SourceFile,
    dialect: Dialect,
    options: SourceOptions,
    *,
    down: SourceFile | None,
    native: Mapping[str, str],
    conf: Mapping[str, str],
    callbacks: Sequence[str],
) -> Migration:
    statements = _split(file, dialect, options, conf)
    id = {"repeatable": REPEATABLE + script.description, "baseline": BASELINE_SCRIPT + script.version}.get(
        script.kind, script.version
    )
    return build(
        source="flyway",
        id=id,
        name=script.description,
        file=file,
        dialect=dialect,
        order_key=_order(script),
        statements=statements,
        down=_split(down, dialect, options, {}) if down is not None else (),
        transaction=_transaction(file, statements, dialect, options, conf),
        together=flag(options, "group"),
        checksum=str(checksum(file.text)),
        repeatable=script.kind == "repeatable",
        native=native,
        notes=(*_notes(options, callbacks), *_lock_note(statements, dialect)),
    )


def _order(script: Script) -> tuple[int | str, ...]:
    """Baseline scripts, then versions number by number, then repeatable scripts by description."""
    match script.kind:
        case "baseline":
            return (0, *version_key(script.version))
        case "repeatable":
            return (2, script.description)
        case _:
            return (1, *version_key(script.version))


def _split(file: SourceFile, dialect: Dialect, options: SourceOptions, conf: Mapping[str, str]) -> tuple[Statement, ...]:
    source = file.piece()
    if conf.get("placeholderReplacement", "true") == "true" and flag(options, "placeholder_replacement", default=True):
        known = {"flyway:filename": file.shown.rpartition("/")[2], **options.variables}
        source = substitute_flyway(
            source,
            known,
            prefix=options.options.get("placeholder_prefix", "${"),
            suffix=options.options.get("placeholder_suffix", "}"),
        )
    return dialect.split(source)


def _transaction(
    file: SourceFile, statements: Sequence[Statement], dialect: Dialect, options: SourceOptions, conf: Mapping[str, str]
) -> str:
    """One transaction unless the script's .conf says no, or every statement must run alone. Raises SourceError (DF-E234) for a mixture."""
    match conf.get("executeInTransaction", "").lower():
        case "false":
            return "none"
        case "true":
            return "single"
    alone = [one for one in statements if runs_alone_in_flyway(one.sql, dialect.name)]
    if not alone:
        return "single"
    if len(alone) == len(statements) or flag(options, "mixed"):
        return "none"
    raise SourceError(
        "DF-E234",
        "the script mixes statements that need a transaction with one that must not have it",
        where=file.where(alone[0].span.start),
        why="Flyway: Detected both transactional and non-transactional statements within the same migration",
        hint="move the statement into a script of its own, or set mixed = true (the whole script then runs without a transaction)",
    )


def runs_alone_in_flyway(sql: str, dialect: str) -> bool:
    """As Flyway judges: on SQLite only PRAGMA foreign_keys; on PostgreSQL not DETACH PARTITION CONCURRENTLY, nor REINDEX INDEX CONCURRENTLY."""
    if not runs_alone(sql, dialect):
        return False
    if dialect == "sqlite":
        return re.search(r"\bforeign_keys\b", sql, re.IGNORECASE) is not None
    return re.search(r"\bdetach\s+partition\b|\breindex\b.*\bconcurrently\b", sql, re.IGNORECASE | re.DOTALL) is None


def _notes(options: SourceOptions, callbacks: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if callbacks and options.options.get("callbacks") != "ignore":
        notes.append(f"Flyway also runs the callbacks {', '.join(callbacks)}; driftflow does not")
    if flag(options, "group"):
        notes.append("with group=true Flyway runs all pending scripts in one transaction")
    return tuple(notes)


def _lock_note(statements: Sequence[Statement], dialect: Dialect) -> tuple[str, ...]:
    """Flyway's lock is a transaction that stays open, for whose end a concurrent build waits (*measured* with 11.8: forever)."""
    if dialect.name != "postgresql" or not any(re.search(r"\bconcurrently\b", one.sql, re.IGNORECASE) for one in statements):
        return ()
    return ("under Flyway itself this waits forever unless flyway.postgresql.transactional.lock=false",)
