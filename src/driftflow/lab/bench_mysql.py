"""A scratch database of MySQL or MariaDB to observe in: on a server that is started for it, or on one that carries the mark.

The statement runs on the scratch database itself, in an open transaction that holds a row of its own elsewhere: whether the server refuses, commits
that transaction, and writes a table anew. Then on copies, made by running the setup and the statements before it again: which ALGORITHM and
LOCK it accepts, and which metadata locks it takes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager

from driftflow.dialects.base import ErrorKind
from driftflow.drivers.urls import connector_for
from driftflow.engine.ports import Connection, Connector, DatabaseFault
from driftflow.errors import ConfigError, DatabaseError
from driftflow.lab import mysql
from driftflow.lab.disposable import require_mark
from driftflow.lab.mysql_locks import STRENGTH, locks_of
from driftflow.lab.mysql_near import near_tables
from driftflow.lab.mysql_programs import Flavour, Programs, installed
from driftflow.lab.mysql_settings import UNSYNCED
from driftflow.lab.observe_mysql import identities, observe, takes_algorithm
from driftflow.lab.servers import at_database
from driftflow.lab.time_limit import limited, shortened
from driftflow.model.effects import Blocks, Effects, LockClaim, Work
from driftflow.model.migration import Statement
from driftflow.model.names import Name
from driftflow.model.observation import Part, Seen
from driftflow.model.operations import AlterPartitions, Pragma, RenameTable, SetSetting, Truncate
from driftflow.model.record import replace

DATABASE = "scratch"
"""On a server of our own, where nobody else has one of that name."""
BLOCKS: Mapping[str, tuple[Blocks, ...]] = {
    "EXCLUSIVE": ("reads", "writes", "ddl"),
    "SHARED_NO_READ_WRITE": ("reads", "writes", "ddl"),
    "SHARED_NO_WRITE": ("writes", "ddl"),
    "SHARED_READ_ONLY": ("writes", "ddl"),
}
HIDDEN = "whether a table is written anew: its identity changes with its name or its partitions, whatever happens to its rows"
SILENT = "locks: performance_schema is switched off on this server"
INSTRUMENT = "SELECT @@performance_schema AND EXISTS (SELECT 1 FROM performance_schema.setup_instruments WHERE name = %s AND enabled = 'YES')"


def started(flavour: Flavour, version: str = "") -> MysqlBench:
    """On a new server. Raises ConfigError when there is none of that version here."""
    programs = _programs(flavour, version)
    server = mysql.begun(programs, folder=None, settings=UNSYNCED[flavour], durable=False)
    try:
        bench = MysqlBench(
            lambda name: connector_for(server.url(name)), origin=f"started here, {programs.origin}", database=DATABASE
        )
    except BaseException:
        server.remove()
        raise
    bench.stack.callback(server.remove)
    return bench


def _programs(flavour: Flavour, wanted: str) -> Programs:
    """The newest of the flavour, or the one of the version that is wanted (`10`, `10.11`)."""
    here = sorted((one for one in installed() if one.flavour == flavour), key=lambda one: one.version)
    fitting = [one for one in here if not wanted or f"{one.version}.".startswith(f"{wanted}.")]
    if fitting:
        return fitting[-1]
    product = f"{'MariaDB' if flavour == 'mariadb' else 'MySQL'} {wanted}".rstrip()
    raise ConfigError(
        "DF-E462",
        f"there is no {product} to start on this machine",
        why=f"found: {', '.join(f'{one.flavour} {one.version} ({one.origin})' for one in installed()) or 'none'}",
        hint="apt-get install mariadb-server" if flavour == "mariadb" else "make servers, in a checkout of driftflow",
    )


def given(url: str) -> MysqlBench:
    """On the server at the URL, in databases of its own that are dropped again. Raises RefusedError where it is not marked as disposable."""
    connector = connector_for(url)
    with closing(connector.connect("observe")) as connection:
        require_mark(connection, url=url, display=connector.display)
    return MysqlBench(lambda name: connector_for(at_database(url, name)), origin=f"given, {connector.display}")


class MysqlBench:
    """Keeps one session open, and the text of everything that was run, to run it again on a copy."""

    def __init__(self, at: Callable[[str], Connector], *, origin: str, database: str = "") -> None:
        self.origin = origin
        self.stack = ExitStack()
        self._at = at
        self._database = self._create(database)
        self._beside = self._create()
        self._connection: Connection | None = None
        self._done: list[str] = []
        self._settings: list[str] = []

    @property
    def schema(self) -> str:
        return self._database

    @property
    def connector(self) -> Connector:
        return self._at(self._database)

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self.connector.connect("observe")
            self._connection.execute(f"CREATE TABLE {self._beside}.mark (id INT PRIMARY KEY) ENGINE=InnoDB")
        return self._connection

    def strength(self, mode: str) -> int:
        return STRENGTH.index(mode) if mode in STRENGTH else -1

    def was_set_up(self, statements: Sequence[Statement]) -> None:
        self._done += [statement.sql for statement in statements]

    def observe(self, statement: Statement) -> Seen:
        before = tuple(self._settings)
        seen = self._carried_out(statement)
        if not seen.error:
            is_setting = any(isinstance(operation, SetSetting | Pragma) for operation in statement.operations)
            if not is_setting:
                seen = self._with_algorithms(self._with_locks(seen, statement.sql, before), statement.sql, before)
            self._settings += [statement.sql] if is_setting else []
            self._done.append(statement.sql)
        return seen

    def close(self) -> None:
        """Drop the databases, and end the server that was started for them. Safe to call twice."""
        with self.stack:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            for name in (self._database, self._beside):
                self._drop(name)

    # on the scratch database itself

    def _carried_out(self, statement: Statement) -> Seen:
        connection = self.connection
        was = self._identities(connection, self._database)
        error, commits = "", False
        connection.begin()
        connection.execute(f"INSERT INTO {self._beside}.mark VALUES (1)")
        try:
            with limited(connection, statement.sql):
                connection.query(statement.sql)
            commits = self._is_committed()
        except DatabaseFault as fault:
            if fault.kind is ErrorKind.CONNECTION_LOST:
                raise
            error, commits = fault.message, self._is_committed()
        connection.rollback() if error else connection.commit()
        connection.execute(f"DELETE FROM {self._beside}.mark")
        self._still_here(statement.sql)
        effects = Effects(transactional=not commits, implicit_commit=commits, basis="observed")
        if error:
            return Seen(effects=effects, error=error.replace(f"{self._database}.", ""), parts=("error",))
        if _hides_rewrite(statement):
            return Seen(effects=effects, parts=("error", "transaction"), left_out=(HIDDEN,))
        now = self._identities(connection, self._database)
        anew = [name for name in was if name in now and not was[name] & now[name]]
        work = tuple(Work(kind="rewrite", relation=Name(schema=self._database, name=name)) for name in sorted(anew))
        return Seen(effects=replace(effects, work=work), parts=("error", "transaction", "rewrite"))

    def _is_committed(self) -> bool:
        """Whether the row beside can be seen by others."""
        with closing(self._at(self._beside).connect("observer")) as observer:
            return bool(observer.query("SELECT count(*) FROM mark")[0][0])

    def _still_here(self, sql: str) -> None:
        (found,) = self.connection.query("SELECT DATABASE()")[0]
        if found != self._database:
            raise DatabaseError(
                "DF-E473",
                "the statement leaves the scratch database",
                where=shortened(sql),
                why="what came after it would be observed elsewhere",
                hint="leave out USE and the name of the database",
            )

    def _identities(self, connection: Connection, database: str) -> dict[str, set[int]]:
        """InnoDB's numbers of each table: one, or one of each partition."""
        found: dict[str, set[int]] = {}
        for name, number in identities(connection.query, database, mariadb=connection.dialect == "mariadb").items():
            found.setdefault(name.lower().partition("#p#")[0], set()).add(number)
        return found

    # on copies

    def _with_algorithms(self, seen: Seen, sql: str, before: Sequence[str]) -> Seen:
        if not takes_algorithm(sql):
            return seen
        with self._copy() as copy, closing(self._at(copy).connect("observe")) as connection:
            mariadb = connection.dialect == "mariadb"
            with limited(connection, sql):
                pairs = observe(connection.query, sql, database=copy, mariadb=mariadb, before=before).algorithms
        return replace(seen, effects=replace(seen.effects, algorithms=pairs), parts=(*seen.parts, "algorithms"))

    def _with_locks(self, seen: Seen, sql: str, before: Sequence[str]) -> Seen:
        if not self.connection.query(INSTRUMENT, ("wait/lock/metadata/sql/mdl",))[0][0]:
            return replace(seen, left_out=(*seen.left_out, SILENT))
        copies: list[str] = []

        def fresh() -> str:
            for name in copies:
                self._drop(name)
            copies[:] = [self._replayed()]
            return copies[0]

        try:
            fresh()
            tables = near_tables(self.connection, copies[0], sql)
            modes = locks_of(self.connector, sql, tables=tables, fresh=fresh, before=before)
        finally:
            for name in copies:
                self._drop(name)
        claims = tuple(
            LockClaim(relation=Name(schema=self._database, name=table), mode=mode, blocks=BLOCKS.get(mode, ("ddl",)))
            for table, found in modes.items()
            if table in tables
            for mode in sorted(found)
        )
        watched = tuple(Name(schema=self._database, name=table) for table in tables)
        parts: tuple[Part, ...] = (*seen.parts, "locks")
        return replace(seen, effects=replace(seen.effects, locks=claims), parts=parts, every_mode=False, watched=watched)

    @contextmanager
    def _copy(self) -> Iterator[str]:
        name = self._replayed()
        try:
            yield name
        finally:
            self._drop(name)

    def _replayed(self) -> str:
        """A new database in which everything that was run so far is run again."""
        name = self._create()
        with closing(self._at(name).connect("setup")) as connection:
            for sql in self._done:
                with limited(connection, sql):
                    connection.query(sql)
        return name

    def _create(self, name: str = "") -> str:
        name = name or f"driftflow_observe_{secrets.token_hex(6)}"
        with closing(self._at("").connect("observe")) as connection:
            connection.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
        return name

    def _drop(self, name: str) -> None:
        with closing(self._at("").connect("observe")) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")


def _hides_rewrite(statement: Statement) -> bool:
    return any(isinstance(operation, AlterPartitions | RenameTable | Truncate) for operation in statement.operations)
