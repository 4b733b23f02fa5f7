"""Drizzle, both generations: `drizzle/NNNN_name.sql` with `meta/_journal.json`, or `drizzle/<timestamp>_name/migration.sql`; no down part.

Source: drizzle-orm 0.45 and 1.0.0-rc.5, `migrator`, `pg-core/dialect`, `sqlite-core/dialect`, `up-migrations`.
"""

from __future__ import annotations

import copy
import datetime
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Name
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import (
    bad_name,
    build,
    check_options,
    folders_holding,
    locate,
    nothing_found,
    of_file,
    refuse_duplicates,
    shown_below,
)
from driftflow.readers.files import Faults, SourceFile, list_folder, read_file
from driftflow.readers.ledger import TableLedger

PLACES = ("drizzle", "src/drizzle", "migrations", "db/migrations")
JOURNAL = "meta/_journal.json"
SCRIPT = "migration.sql"
BREAKPOINT = "--> statement-breakpoint"
_BOM = "Drizzle would send it to the server, which refuses it"
_FOLDER = lazy_regex(r"(?P<at>\d{14})_.+")
_NOTE = "Drizzle runs all pending migrations in one transaction"


@reader("drizzle")
class DrizzleReader:
    """`drizzle/meta/_journal.json` says which files run, and in which order."""

    name = "drizzle"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, _fits, above=2 if folder.name == SCRIPT else 1) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options, above=2 if folder.name == SCRIPT else 1)
        check_options(self.name, options, ())
        found = locate(folder, PLACES, _fits) or folder
        faults = Faults()
        migrations: list[Migration] = []
        for relative, tag, when in _entries(folder, found, dialect, options):
            with faults.collect():
                file = read_file(found / relative, shown_below(options, folder, found, relative), bom=_BOM)
                migrations.append(_migration(file, dialect, tag=tag, when=when, position=len(migrations)))
        if not migrations and not faults.found:
            raise nothing_found(self.name, options.path, "entry in meta/_journal.json, or folder like 20240101120000_name")
        faults.found += refuse_duplicates(self.name, migrations)
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> DrizzleLedger:
        return DrizzleLedger(dialect, options, schema=schema)


class DrizzleLedger(TableLedger):
    """`drizzle.__drizzle_migrations(id, hash, created_at)`, with `name` and `applied_at` in the second generation; no lock."""

    tool = "drizzle"
    default_table = "__drizzle_migrations"
    named_rows = False
    """The second generation keeps each migration's name, and when it was applied."""

    def fitted(self, migrations: Sequence[Migration]) -> Self:
        fitted = copy.copy(self)
        fitted.named_rows = _second_generation(migrations)
        return fitted

    def named(self, text: str) -> Name:
        name = super().named(text)
        return Name(schema="drizzle", name=name.name) if self.on_postgresql and "." not in text else name

    def create(self) -> tuple[str, ...]:
        if not self.on_postgresql:
            return (
                f"CREATE TABLE IF NOT EXISTS {self.sql_table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric{self._more('TEXT')})",
            )
        return (
            f"CREATE SCHEMA IF NOT EXISTS {self.quoted(self._table.schema)}",
            f"CREATE TABLE IF NOT EXISTS {self.sql_table} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint{self._more('timestamp with time zone')})",
        )

    def _more(self, time: str) -> str:
        default = "now()" if self.on_postgresql else "CURRENT_TIMESTAMP"
        return f", name text, applied_at {time} DEFAULT {default}" if self.named_rows else ""

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY created_at"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        """Rows carry a time and a hash, the second generation a name as well; the id is that of the file with the same name, time or hash."""
        self.columns_expected(rows, needed={"hash", "created_at"}, foreign={})
        times = {one.native["when"]: one.id for one in migrations}
        hashes = {one.checksum: one.id for one in migrations}
        found = []
        for row in rows:
            when, checksum = str(int(row["created_at"])), str(row["hash"])
            id = str(row.get("name") or "") or times.get(when) or hashes.get(checksum) or when
            found.append(Applied(id=id, checksum=checksum, at=when, name=str(row.get("name") or "")))
        return tuple(found)

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """The first generation runs only what is newer than its newest row, and skips the rest without a word: here that is an error."""
        pending = self.not_yet(applied, migrations)
        if _second_generation(migrations):
            return pending
        newest = max((int(one.at) for one in applied), default=-1)
        faults = Faults()
        faults.found += [
            self.out_of_order(
                one,
                next(row.id for row in applied if int(row.at) == newest),
                why=f"its time in {JOURNAL} ({one.native['when']}) is not after the newest row's ({newest}); Drizzle would skip it forever",
                hint="regenerate it with drizzle-kit generate, so that it comes last",
            )
            for one in pending
            if int(one.native["when"]) <= newest
        ]
        faults.settle(str(self._table))
        return pending

    def record(self, migration: Migration) -> tuple[str, ...]:
        columns, values = '"hash", "created_at"', f"{self.literal(migration.checksum)}, {int(migration.native['when'])}"
        if _second_generation((migration,)):
            columns, values = f'{columns}, "name"', f"{values}, {self.literal(migration.id)}"
        return (f"INSERT INTO {self.sql_table} ({columns}) VALUES ({values})",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        when, checksum = int(migration.native["when"]), self.literal(migration.checksum)
        return (f'DELETE FROM {self.sql_table} WHERE "created_at" = {when} AND "hash" = {checksum}',)


def _second_generation(migrations: Sequence[Migration]) -> bool:
    return any(one.path.endswith(f"/{SCRIPT}") for one in migrations)


def _fits(folder: Path) -> bool:
    if (folder / JOURNAL).is_file():
        return True
    return not _is_prisma(folder) and any(map(_FOLDER.fullmatch, folders_holding(folder, SCRIPT)))


def _is_prisma(folder: Path) -> bool:
    return (folder / "migration_lock.toml").is_file()


def _entries(folder: Path, found: Path, dialect: Dialect, options: SourceOptions) -> Iterator[tuple[str, str, int]]:
    """(file below the folder, id, time in milliseconds), in the order in which Drizzle runs them."""
    if (found / JOURNAL).is_file():
        yield from _journal(found / JOURNAL, shown_below(options, folder, found, JOURNAL), dialect)
        return
    for one in list_folder(found, options.path):
        if (one / SCRIPT).is_file():
            if (match := _FOLDER.fullmatch(one.name)) is None:
                raise bad_name("Drizzle", shown_below(options, folder, found, one.name), "a folder like 20240101120000_name")
            yield f"{one.name}/{SCRIPT}", one.name, _milliseconds(match["at"], one.name)


def _journal(path: Path, shown: str, dialect: Dialect) -> Iterator[tuple[str, str, int]]:
    try:
        journal = json.loads(read_file(path, shown).text)
        entries = [(str(entry["tag"]), int(entry["when"])) for entry in journal["entries"]]
        made_for = str(journal.get("dialect", ""))
    except (ValueError, KeyError, TypeError) as fault:
        raise SourceError(
            "DF-E230",
            "the journal cannot be read",
            where=shown,
            why=f"{type(fault).__name__}: {fault}",
            hint="restore it from version control",
        ) from fault
    served = {"", "pg", dialect.name, *(["mysql"] if dialect.name == "mariadb" else ())}  # Drizzle calls both mysql
    if made_for not in served:
        raise SourceError(
            "DF-E235",
            f"these migrations are for {made_for}, not for {dialect.name}",
            where=shown,
            hint="correct dialect in [sources.NAME] of driftflow.toml",
        )
    for tag, when in entries:
        if not (path.parent.parent / f"{tag}.sql").is_file():
            raise SourceError(
                "DF-E232",
                f"the journal names {tag}, and there is no {tag}.sql",
                where=shown,
                why=f"Drizzle: No file {tag}.sql found",
                hint="restore the file, or drop the entry with drizzle-kit drop",
            )
        yield f"{tag}.sql", tag, when


def _milliseconds(digits: str, name: str) -> int:
    try:
        at = datetime.datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
    except ValueError as fault:
        raise bad_name("Drizzle", name, "a date and time in front: 20240101120000") from fault
    return int(at.timestamp()) * 1000


def _migration(file: SourceFile, dialect: Dialect, *, tag: str, when: int, position: int) -> Migration:
    return build(
        source="drizzle",
        id=tag,
        name=tag.partition("_")[2],
        file=file,
        dialect=dialect,
        order_key=(position,),
        statements=_statements(file, dialect),
        transaction="single",
        together=True,
        native={"when": str(when)},
        notes=(_NOTE,),
    )


def _statements(file: SourceFile, dialect: Dialect) -> tuple[Statement, ...]:
    """Each stretch between breakpoints is one message. A breakpoint inside a statement cuts it, so such a file is refused by the splitter."""
    statements: list[Statement] = []
    at = 0
    faults = Faults()
    for end in [*(match.start() for match in re.finditer(re.escape(BREAKPOINT), file.text)), len(file.text)]:
        with faults.collect():
            statements += dialect.split(file.piece(at, end))
        at = end + len(BREAKPOINT)
    faults.settle(file.shown)
    return tuple(statements)
