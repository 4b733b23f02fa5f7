"""Plain SQL files, in the order of their names. No tool stands behind them, so driftflow keeps their ledger itself.

`X.down.sql` beside `X.sql` (or `X.up.sql`) takes it back. psql's variables are replaced from the config.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.dialects.directives import file_directives
from driftflow.dialects.source_text import SourceText
from driftflow.errors import SourceError, printable
from driftflow.model.migration import Directive, Migration, Statement
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import (
    build,
    check_options,
    controls_transactions,
    flag,
    locate,
    names_in,
    nothing_found,
    refuse_duplicates,
    runs_alone,
    shown_below,
    sniff,
)
from driftflow.readers.each import each
from driftflow.readers.files import Faults, SourceFile, list_files, read_file
from driftflow.readers.ledger import TableLedger
from driftflow.readers.variables import substitute_psql

PLACES = ("migrations", "db/migrations", "sql/migrations", "sql")
MODES = ("single", "per_statement", "none", "file_decides")
_OTHERS = lazy_regex(r"^--\s*(?:migrate:up|\+goose\s)", re.MULTILINE)
_OTHER_NAMES = lazy_regex(r"\d+_.*\.up\.sql|[VUBR]\d*[\d._]*__.*\.sql")


@reader("plain")
class PlainReader:
    """`migrations/001_init.sql`, `migrations/002_orders.sql`."""

    name = "plain"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, _fits) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        check_options(self.name, options, {"transaction", "variables_in_bodies"})
        if folder.is_file():
            file = read_file(folder, options.path if options.path not in {"", "."} else folder.as_posix())
            return (_migration(file, None, dialect, options, id=_stem(folder.name)),)
        found = locate(folder, PLACES, _any_sql) or folder
        scripts = {one.name: one for one in list_files(found, options.path, ending=".sql")}
        downs = {_stem(name): one for name, one in scripts.items() if name.endswith(".down.sql")}
        ups = [name for name in scripts if not name.endswith(".down.sql")]
        if not ups:
            raise nothing_found(self.name, options.path, "file that ends with .sql")
        faults = Faults()
        before = shown_below(options, folder, found, "x").removesuffix("x")

        def read(name: str, _: Faults) -> Migration:
            up, stem = read_file(scripts[name], before + printable(name)), _stem(name)
            down = downs.get(stem)
            back = read_file(down, before + printable(down.name)) if down is not None else None
            return _migration(up, back, dialect, options, id=stem)

        migrations = each(ups, read, faults)
        stems = {_stem(name) for name in ups}
        faults.found += [_alone(before + printable(down.name)) for stem, down in downs.items() if stem not in stems]
        faults.found += refuse_duplicates("a plain SQL source", migrations)
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> PlainLedger:
        return PlainLedger(dialect, options, schema=schema)


class PlainLedger(TableLedger):
    """`driftflow.migration` on PostgreSQL, `_driftflow_migration` beside the data elsewhere: id, SHA-256 of the file, time."""

    tool = "plain"
    written_on_mysql = True

    def named(self, text: str) -> Name:
        if text:
            return super().named(text)
        if self.on_postgresql:
            return Name(schema="driftflow", name="migration")
        return Name(schema=self.schema, name="_driftflow_migration")

    def create(self) -> tuple[str, ...]:
        if self.on_mysql:
            columns = "id varchar(255) NOT NULL PRIMARY KEY, sha256 char(64) NOT NULL, at datetime(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)"
            return (
                f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
            )
        if not self.on_postgresql:
            columns = "id TEXT PRIMARY KEY NOT NULL, sha256 TEXT NOT NULL, at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
            return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns})",)
        columns = "id text PRIMARY KEY, sha256 text NOT NULL, at timestamptz NOT NULL DEFAULT now()"
        return (
            f"CREATE SCHEMA IF NOT EXISTS {self.quoted(self._table.schema)}",
            f"CREATE TABLE IF NOT EXISTS {self.sql_table} ({columns})",
        )

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY id"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        self.columns_expected(rows, needed={"id", "sha256"}, foreign={})
        return tuple(Applied(id=str(row["id"]), checksum=str(row["sha256"]), at=str(row["at"])) for row in rows)

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """What has not run, in order. A changed file, a missing one, and one in front of what already ran are errors."""
        rows = {row.id: row for row in applied}
        faults = Faults()
        for migration in migrations:
            row = rows.pop(migration.id, None)
            if row is not None and row.checksum != migration.sha256:
                faults.found.append(_changed(migration))
        faults.found += [_gone(row, self._table) for row in rows.values()]
        pending = self.not_yet(applied, migrations)
        order = {one.id: position for position, one in enumerate(migrations)}
        newest = max((one.id for one in applied if one.id in order), key=lambda id: order[id], default="")
        faults.found += [
            self.out_of_order(
                one, newest, why="files run in the order of their names", hint="give the file a name that sorts after it"
            )
            for one in pending
            if newest and order[one.id] < order[newest]
        ]
        faults.settle(str(self._table))
        return pending

    def record(self, migration: Migration) -> tuple[str, ...]:
        values = f"{self.literal(migration.id)}, {self.literal(migration.sha256)}"
        return (f"INSERT INTO {self.sql_table} (id, sha256) VALUES ({values})",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        return (f"DELETE FROM {self.sql_table} WHERE id = {self.literal(migration.id)}",)


def _any_sql(folder: Path) -> bool:
    return any(name.endswith(".sql") for name in names_in(folder))


def _fits(folder: Path) -> bool:
    """SQL files that bear no other tool's marks."""
    names = [name for name in names_in(folder) if name.endswith(".sql")]
    if (
        not set(names) - {"up.sql", "down.sql", "migration.sql"}
        or any(_OTHER_NAMES.fullmatch(name) for name in names)
        or (folder / "meta" / "_journal.json").exists()
    ):
        return False
    return not any(_OTHERS.search(sniff(folder / name)) for name in names[:3])


def _stem(name: str) -> str:
    stem = name.removesuffix(".sql")
    return stem.removesuffix(".down").removesuffix(".up")


def _migration(up: SourceFile, down: SourceFile | None, dialect: Dialect, options: SourceOptions, *, id: str) -> Migration:
    text = up.piece()
    statements = _split(text, dialect, options)
    directives = file_directives(text)
    return build(
        source="plain",
        id=id,
        name=id,
        file=up,
        dialect=dialect,
        order_key=(up.shown.rpartition("/")[2],),
        statements=statements,
        down=_split(down.piece(), dialect, options) if down is not None else (),
        transaction=_transaction(statements, directives, dialect, options),
    )


def _split(text: SourceText, dialect: Dialect, options: SourceOptions) -> tuple[Statement, ...]:
    bodies = flag(options, "variables_in_bodies", default=True)
    return dialect.split(substitute_psql(text, options.variables, bodies=bodies))


def _transaction(
    statements: Sequence[Statement], directives: Sequence[Directive], dialect: Dialect, options: SourceOptions
) -> str:
    """What the file says (`-- driftflow: file transaction=none`), else the source's option, else what its statements allow."""
    said = [(one.options["transaction"], str(one.span)) for one in directives if "transaction" in one.options]
    if "transaction" in options.options:
        said.append((options.options["transaction"], "[sources.NAME.options] of driftflow.toml"))
    if said:
        mode, where = said[0]
        if mode not in MODES:
            raise SourceError(
                "DF-E228",
                f"there is no transaction mode {mode}",
                where=where,
                why=f"known modes: {', '.join(MODES)}",
                hint="correct it, then: driftflow sources",
            )
        return mode
    if controls_transactions(statements):
        return "file_decides"
    if dialect.name in ("mysql", "mariadb"):
        return "per_statement"  # as the mysql client runs a file; DDL commits there anyway
    return "per_statement" if any(runs_alone(one.sql, dialect.name) for one in statements) else "single"


def _alone(shown: str) -> SourceError:
    return SourceError(
        "DF-E232",
        "a down file has nothing to take back",
        where=shown,
        why="there is no .sql file of the same name",
        hint="rename or remove it",
    )


def _changed(migration: Migration) -> SourceError:
    return SourceError(
        "DF-E241",
        f"the migration {migration.id} was changed after it had been applied",
        where=migration.path,
        why="its SHA-256 is another one now",
        hint="undo the change, and write a new migration instead",
    )


def _gone(row: Applied, table: Name) -> SourceError:
    return SourceError(
        "DF-E243",
        f"the migration {row.id} is applied, and its file is gone",
        where=f"table {table}",
        why="driftflow cannot tell what it did",
        hint="bring the file back",
    )
