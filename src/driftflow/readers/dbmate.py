"""dbmate: `<digits>name.sql` with `-- migrate:up` and `-- migrate:down` sections, in the order of file names.

Behaviour measured with dbmate 2.36: file names sort as text (`10_x` before `3_x`), the down section is obligatory, and of a file with two
up sections the second runs but cannot be recorded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from driftflow.dialects.base import Dialect
from driftflow.errors import SourceError
from driftflow.model.migration import Migration, Statement
from driftflow.patterns import lazy_regex
from driftflow.readers.base import Applied, SourceOptions, reader
from driftflow.readers.common import (
    build,
    check_options,
    flag,
    locate,
    names_in,
    nothing_found,
    of_file,
    refuse_duplicates,
    shown_below,
    sniff,
)
from driftflow.readers.files import Faults, SourceFile, list_folder, read_file
from driftflow.readers.ledger import TableLedger

NAME = lazy_regex(r"(?P<version>\d+)(?P<rest>.*)\.sql")
PLACES = ("db/migrations", "migrations")
_MARKER = lazy_regex(r"^--\s*migrate:(?P<way>up|down)(?P<options>[^\n]*)$", re.MULTILINE)
_BOM = "dbmate would not see the marker behind it"


@reader("dbmate")
class DbmateReader:
    """`db/migrations/20240101120000_name.sql`."""

    name = "dbmate"

    def detect(self, folder: Path) -> bool:
        return locate(folder, PLACES, _fits) is not None

    def read(self, folder: Path, dialect: Dialect, options: SourceOptions) -> tuple[Migration, ...]:
        if folder.is_file():
            return of_file(self, folder, dialect, options)
        check_options(self.name, options, {"strict"})
        found = locate(folder, PLACES, _fits) or folder
        entries = [(one, match) for one in list_folder(found, options.path) if (match := NAME.fullmatch(one.name))]
        if not entries:
            raise nothing_found(self.name, options.path, "file like 20240101120000_name.sql")
        faults, migrations = Faults(), []
        for path, match in entries:
            with faults.collect():
                file = read_file(path, shown_below(options, folder, found, path.name), bom=_BOM)
                migrations.append(_migration(file, dialect, match=match))
        faults.found += refuse_duplicates(self.name, migrations)
        faults.settle(options.path, migrations)
        return tuple(migrations)

    def ledger(self, dialect: Dialect, options: SourceOptions, *, schema: str = "") -> DbmateLedger:
        return DbmateLedger(dialect, options, schema=schema)


class DbmateLedger(TableLedger):
    """`schema_migrations(version)`: one row for each version; no checksum, no lock."""

    tool = "dbmate"
    default_table = "schema_migrations"
    written_on_mysql = True

    def create(self) -> tuple[str, ...]:
        kind = "varchar" if self.on_postgresql else "varchar(128)"
        return (f"CREATE TABLE IF NOT EXISTS {self.sql_table} (version {kind} PRIMARY KEY)",)

    def applied_query(self) -> str:
        return f"SELECT * FROM {self.sql_table} ORDER BY version"

    def applied(self, rows: Sequence[Mapping[str, Any]], migrations: Sequence[Migration]) -> tuple[Applied, ...]:
        self.columns_expected(rows, needed={"version"}, foreign={"dirty": "golang-migrate"})
        return super().applied(rows, migrations)

    def pending(self, applied: Sequence[Applied], migrations: Sequence[Migration]) -> tuple[Migration, ...]:
        """Whatever is in no row, also out of order, as dbmate does without `--strict` (the option `strict`)."""
        pending = self.not_yet(applied, migrations)
        newest = max((one.id for one in applied), default="")
        if flag(self.options, "strict") and pending and pending[0].id < newest:
            raise self.out_of_order(
                pending[0], newest, why="dbmate --strict refuses this", hint="give it a version later than every applied one"
            )
        return pending

    def record(self, migration: Migration) -> tuple[str, ...]:
        return (f"INSERT INTO {self.sql_table} (version) VALUES ({self.literal(migration.id)})",)

    def unrecord(self, migration: Migration) -> tuple[str, ...]:
        return (f"DELETE FROM {self.sql_table} WHERE version = {self.literal(migration.id)}",)


def _fits(folder: Path) -> bool:
    """A version in the name and the marker among the first lines."""
    names = filter(NAME.fullmatch, names_in(folder))
    return any(_MARKER.search(sniff(folder / name)) for name in islice(names, 3))


def _migration(file: SourceFile, dialect: Dialect, *, match: re.Match[str]) -> Migration:
    up, down = _sections(file)
    statements = dialect.split(file.piece(up.end(), down.start()))
    return build(
        source="dbmate",
        id=match["version"],
        name=match["rest"].strip("_- "),
        file=file,
        dialect=dialect,
        order_key=(f"{match['version']}{match['rest']}.sql",),
        statements=statements,
        down=dialect.split(file.piece(down.end(), None)),
        transaction=_transaction(up["options"], statements, dialect),
    )


def _sections(file: SourceFile) -> tuple[re.Match[str], re.Match[str]]:
    """The markers of the one up and the one down section. Raises SourceError (DF-E231) in dbmate's own words."""
    markers = list(_MARKER.finditer(file.text))
    ways = [marker["way"] for marker in markers]
    before = file.text[: markers[0].start()] if markers else file.text
    statement = re.search(r"^[ \t]*(?!--)[^\s].*$", before, re.MULTILINE)
    if "up" not in ways:
        raise _fault(file, 0, "dbmate requires each migration to define an up block with '-- migrate:up'")
    if ways[0] == "down":
        raise _fault(file, markers[0].start(), "dbmate requires every '-- migrate:down' to be preceded by a '-- migrate:up'")
    if statement is not None:
        raise _fault(file, statement.start(), "dbmate does not support statements preceding the '-- migrate:up' block")
    if "down" not in ways:
        raise _fault(file, markers[0].start(), "dbmate requires each migration to define a down block with '-- migrate:down'")
    if ways != ["up", "down"]:
        raise _fault(
            file,
            markers[ways.index("up", 1) if "up" in ways[1:] else 2].start(),
            "a file with more than one up and one down section cannot be recorded by dbmate: it inserts the version once for each",
        )
    return markers[0], markers[1]


def _transaction(options: str, statements: Sequence[Statement], dialect: Dialect) -> str:
    """dbmate sends a section as one string: several statements outside a transaction are one implicit transaction on PostgreSQL."""
    if "transaction:false" not in options.split():
        return "single"
    return "implicit" if dialect.name == "postgresql" and len(statements) > 1 else "none"


def _fault(file: SourceFile, at: int, why: str) -> SourceError:
    return SourceError(
        "DF-E231",
        "the sections of the file are not as dbmate wants them",
        where=file.where(at),
        why=why,
        hint="write one '-- migrate:up' section and one '-- migrate:down' section",
    )
