"""A scratch file of SQLite to observe in: the library that Python was built with, in a folder that is removed afterwards.

The statement runs in a transaction, and before that ends a second connection tries to write, then keeps reading while the first commits: whoever is
kept out tells the lock. A table that is written anew has none of its pages as they were.
"""

from __future__ import annotations

import secrets
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from driftflow.dialects.base import ErrorKind
from driftflow.dialects.sqlite.tokens import tokenize
from driftflow.drivers.sqlite import SqliteConnector
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import ConfigError, RefusedError
from driftflow.lab import sqlite
from driftflow.lab.time_limit import limited
from driftflow.model.effects import Blocks, Effects, LockClaim, Work
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.observation import Part, Seen
from driftflow.model.operations import Delete, DropTable, Insert, Operation, Pragma, RewriteTable, Update
from driftflow.model.record import replace

MODES = ("SHARED", "RESERVED", "PENDING", "EXCLUSIVE")
FILE = Name(name="the whole file")
BLOCKS: dict[str, tuple[Blocks, ...]] = {"RESERVED": ("writes", "ddl"), "EXCLUSIVE": ("reads", "writes", "ddl")}
NOT_WITHIN = ("from within a transaction", "inside a transaction")
UNWATCHED = "locks: outside a transaction it is over before anybody could try"
PRAGMA = "whether it works in a transaction: SQLite passes over such a pragma without a word"
EMPTY = "whether a table is written anew: one that it names has no rows here"
BLIND = "whether a table is written anew: this SQLite is built without dbstat"
PAGES = "SELECT s.tbl_name, d.pageno, d.pgsize FROM dbstat AS d JOIN sqlite_schema AS s ON s.name = d.name WHERE s.type = 'table' AND d.pagetype = 'leaf'"


def started(version: str = "") -> SqliteBench:
    """Raises ConfigError when another version is wanted than the one that is here."""
    here = sqlite3.sqlite_version
    if version and not f"{here}.".startswith(f"{version}."):
        raise ConfigError(
            "DF-E472", f"there is no SQLite {version} here", why=f"Python was built with {here}", hint=f"--server-version {here}"
        )
    return SqliteBench()


def given(display: str) -> SqliteBench:
    """A file is never marked as disposable. Raises RefusedError."""
    raise RefusedError(
        "DF-E370",
        "statements are observed on throw-away servers only, and this one does not carry the mark of one",
        where=display,
        why="a file of SQLite is somebody's data",
        hint="leave out --on: driftflow makes a file of its own",
    )


class SqliteBench:
    """Keeps one connection open. Locks and pages are looked at on copies of the file."""

    schema = "main"

    def __init__(self) -> None:
        self.origin = "Python's own, a new file"
        self._folder = tempfile.TemporaryDirectory(prefix="driftflow-observe-")
        self._file = sqlite.create(Path(self._folder.name) / "scratch.db")
        self._connection: Connection | None = None
        self._settings: list[str] = []

    @property
    def connector(self) -> Connector:
        return SqliteConnector(str(self._file))

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.connector.connect("observe")
        return self._connection

    def strength(self, mode: str) -> int:
        return MODES.index(mode)

    def was_set_up(self, statements: Sequence[Statement]) -> None:
        """What the setup says of its connection holds for the observed statements too: in SQLite foreign_keys is such a setting."""
        for statement in statements:
            if statement.sql.lstrip().upper().startswith("PRAGMA"):
                self._kept(statement.sql)

    def observe(self, statement: Statement) -> Seen:
        seen = self._in_transaction(statement)
        if seen is None:
            seen = self._alone(statement.sql)
        elif not seen.error:
            seen = self._with_rewrites(seen, statement)
        if not seen.error:
            with limited(self.connection, statement.sql):
                self.connection.query(statement.sql)
            if any(isinstance(operation, Pragma) for operation in statement.operations):
                self._settings.append(statement.sql)
                parts = tuple(part for part in seen.parts if part not in {"transaction", "locks"})
                seen = replace(seen, parts=parts, left_out=(*seen.left_out, PRAGMA))
        return seen

    def close(self) -> None:
        """Remove the file. Safe to call twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._folder.cleanup()

    def _kept(self, sql: str) -> None:
        self.connection.query(sql)
        self._settings.append(sql)

    # on copies

    @contextmanager
    def _copy(self) -> Iterator[SqliteConnector]:
        """Of the file, with the connection's own settings in every session of it that is called `observed`."""
        path = sqlite.copy(self._file, self._file.with_name(f"{secrets.token_hex(4)}.db"))
        try:
            yield SqliteConnector(str(path))
        finally:
            for one in path.parent.glob(f"{path.name}*"):
                one.unlink()

    def _observed(self, connector: SqliteConnector) -> Connection:
        connection = connector.connect("observed")
        for sql in self._settings:
            connection.query(sql)
        connection.set_timeouts(lock_ms=1)
        return connection

    def _in_transaction(self, statement: Statement) -> Seen | None:
        """None where SQLite wants no transaction around it."""
        with self._copy() as copy, closing(self._observed(copy)) as connection, closing(copy.connect("other")) as other:
            other.set_timeouts(lock_ms=1)
            connection.execute("BEGIN")
            try:
                with limited(connection, statement.sql):
                    connection.query(statement.sql)
                mode = _lock(connection, other)
            except DatabaseFault as fault:
                if any(words in fault.message for words in NOT_WITHIN):
                    return None
                return Seen(effects=Effects(basis="observed"), error=fault.message, parts=("error",))
        claims = (LockClaim(relation=FILE, mode=mode, blocks=BLOCKS[mode], queues=False),) if mode else ()
        return Seen(effects=Effects(locks=claims, basis="observed"), whole=FILE, parts=("error", "transaction", "locks"))

    def _alone(self, sql: str) -> Seen:
        effects = Effects(transactional=False, basis="observed")
        with self._copy() as copy, closing(self._observed(copy)) as connection:
            try:
                with limited(connection, sql):
                    connection.query(sql)
            except DatabaseFault as fault:
                return Seen(effects=effects, error=fault.message, parts=("error",))
        return Seen(effects=effects, parts=("error", "transaction"), left_out=(UNWATCHED,))

    def _with_rewrites(self, seen: Seen, statement: Statement) -> Seen:
        if not statement.operations or any(_changes_rows(operation) for operation in statement.operations):
            return seen
        with self._copy() as copy, closing(self._observed(copy)) as connection:
            connection.query("PRAGMA journal_mode = delete")  # every change is in the file itself
            try:
                was = _pages(connection)
            except DatabaseFault:
                return replace(seen, left_out=(*seen.left_out, BLIND))
            if _names_an_empty_table(connection, statement.sql):
                return replace(seen, left_out=(*seen.left_out, EMPTY))
            connection.query(statement.sql)
            now = _pages(connection)
        anew = [table for table, pages in was.items() if pages and table in now and not pages & now[table]]
        work = tuple(Work(kind="rewrite", relation=Name(schema="main", name=table)) for table in sorted(anew))
        parts: tuple[Part, ...] = (*seen.parts, "rewrite")
        return replace(seen, effects=replace(seen.effects, work=work), parts=parts)


def _lock(connection: Connection, other: Connection) -> str:
    """The lock on the file at its strongest, by whom it keeps out: writers while the transaction is open, readers when it commits."""
    try:
        other.execute("BEGIN IMMEDIATE")
        other.rollback()
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.LOCK_TIMEOUT:
            raise
    else:
        return ""
    other.execute("BEGIN")
    other.query("SELECT count(*) FROM sqlite_schema")
    try:
        connection.commit()
    except DatabaseFault as fault:
        if fault.kind is not ErrorKind.LOCK_TIMEOUT:
            raise
        other.rollback()
        connection.commit()
        return "EXCLUSIVE"
    finally:
        other.rollback()
    return "RESERVED"


def _changes_rows(operation: Operation) -> bool:
    return isinstance(operation, Insert | Update | Delete | Pragma | RewriteTable | DropTable)


def _pages(connection: Connection) -> dict[str, set[tuple[int, bytes]]]:
    """By table the leaf pages that hold its rows: their numbers and contents."""
    rows = connection.query(PAGES)
    file = Path(str(connection.query("PRAGMA database_list")[0][2])).read_bytes()
    found: dict[str, set[tuple[int, bytes]]] = {}
    for table, number, size in rows:
        page = file[(number - 1) * size : number * size]
        found.setdefault(str(table), set()).add((int(number), page))
    return found


def _names_an_empty_table(connection: Connection, sql: str) -> bool:
    words = {token.text.strip('"`[]').lower() for token in tokenize(sql)[0]}
    tables = [str(name) for (name,) in connection.query("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    quoted = ['"' + name.replace('"', '""') + '"' for name in tables if name.lower() in words]
    return any(not connection.query(f"SELECT EXISTS (SELECT 1 FROM {name})")[0][0] for name in quoted)
