"""The schema that a plan or migration begins with, made in a scratch database; what could not be made is said, and the rest stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from driftflow.dialects.base import Dialect
from driftflow.dialects.query_text import EVERYTHING, masked
from driftflow.drivers.catalogs import catalog_of
from driftflow.engine.ports import Connection, DatabaseFault
from driftflow.lab.catalog_rights import definers_of, rights_of
from driftflow.lab.catalog_sql import in_any_order, statements_of
from driftflow.lab.scratch import Scratch
from driftflow.lab.stand_ins import stand_ins_for
from driftflow.model.catalog import Catalog, Routine, TypeDefinition
from driftflow.model.migration import Migration, Statement
from driftflow.model.names import Version
from driftflow.model.operations import AlterObject, Grant, TransactionControl
from driftflow.patterns import lazy_regex
from driftflow.strategies.definers import given_away

SHOWN_MAX = 90


@dataclass(frozen=True, kw_only=True)
class StartSchema:
    """SQL to run as it is, or a catalog to make again; `name` says where it is from."""

    name: str
    setup: Sequence[Migration] = ()
    catalog: Catalog | None = None
    version: Version | None = None

    @property
    def database(self) -> str:
        """Its name, where the schema's own texts may say it."""
        return self.catalog.database if self.catalog is not None else ""

    @property
    def settings(self) -> Mapping[str, str]:
        """Of the database, as far as anybody knows them."""
        return self.catalog.settings if self.catalog is not None else {}


def names_in(connection: Connection) -> frozenset[str]:
    """What tables, columns and views are called on SQLite, in lower case: there a word in double quotes is a name only where there is one."""
    if connection.dialect != "sqlite":
        return frozenset()
    catalog = catalog_of(connection)
    tables = catalog.tables.values()
    found = {table.name.name for table in tables} | {column.name for table in tables for column in table.columns}
    return frozenset(name.lower() for name in (*found, *(view.name.name for view in catalog.views.values())))


def session_settings(start: StartSchema, dialect: Dialect, *, digests: bool = False) -> tuple[str, ...]:
    """What the database's own settings make of a query's text. A digest writes `count ( * )`, which only IGNORE_SPACE reads as a function."""
    if not dialect.one_pass:
        return ()
    mode = start.catalog.settings.get("sql_mode") if start.catalog is not None else None
    settings = [] if mode is None else [f"SET SESSION sql_mode = {dialect.literal(mode)}"]
    return (*settings, *(["SET SESSION sql_mode = CONCAT(@@sql_mode, ',IGNORE_SPACE')"] if digests else []))


def build(start: StartSchema, place: Scratch, dialect: Dialect, *, rights: bool = False) -> tuple[str, ...]:
    """Make it in the scratch database; sentences about what could not be made. With `rights` also what no query's meaning depends on: who may
    do what, policies, comments."""
    if start.catalog is None:
        refused = run_setup(place, start.setup, dialect, rights=rights)
        _set_search_path(place, ())
        _let_everybody_make(place, dialect, rights=rights)
        return refused
    made = tuple(statements_of(start.catalog, dialect, rights=rights))
    if rights:
        made = (*definers_of(start.catalog, dialect), *made, *rights_of(start.catalog, dialect))
    impossible = tuple(what for what, sql in made if not sql)
    before = ("SET foreign_key_checks = 0", *session_settings(start, dialect)) if dialect.one_pass else ()
    refused = run_in_any_order(place, [one for one in made if one[1]], before=before)
    _set_search_path(place, start.catalog.search_path)
    if rights:
        _give_away(start.catalog, place, dialect)
    _let_everybody_make(place, dialect, rights=rights)
    return (*start.catalog.unseen, *impossible, *refused)


def _give_away(catalog: Catalog, place: Scratch, dialect: Dialect) -> None:
    """PostgreSQL: to whom the tables, views, sequences, functions and types belong, made as roles that the lab's own may act as, and that may make something beside
    them. What belongs to a table goes with it."""
    if dialect.name != "postgresql" or place.administration is None:
        return
    owned = [(table.name, table.owner, "TABLE") for table in catalog.tables.values()]
    owned += [(view.name, view.owner, "MATERIALIZED VIEW" if view.materialized else "VIEW") for view in catalog.views.values()]
    owned += [(one.name, one.owner, "SEQUENCE") for one in catalog.sequences.values() if not one.owned_by]
    owned = [one for one in owned if one[1]]
    made: list[Routine | TypeDefinition] = [*catalog.routines.values(), *catalog.types.values()]
    places = [(name.schema, owner) for name, owner, _ in owned] + [(one.name.schema, one.owner) for one in made if one.owner]
    statements = [
        f"GRANT USAGE, CREATE ON SCHEMA {dialect.quote(schema)} TO {dialect.quote(owner)}"
        for schema, owner in dict.fromkeys(places)
    ]
    statements += [f"ALTER {kind} {dialect.quote_name(name)} OWNER TO {dialect.quote(owner)}" for name, owner, kind in owned]
    statements += [dialect.render(said) for one in made for said in given_away(one, dialect)]
    for owner in dict.fromkeys((*(owner for _, owner, _ in owned), *(one.owner for one in made if one.owner))):
        place.make_role(owner)
    with closing(place.administration.connect("setup")) as connection:
        for sql in statements:
            with suppress(DatabaseFault):  # the table could not be made here, which was said
                connection.execute(sql)


def _let_everybody_make(place: Scratch, dialect: Dialect, *, rights: bool) -> None:
    """Where rights are left out (PostgreSQL): to whomever a step gives its function or table, he may own it, as the roles of the database may."""
    if rights or dialect.name != "postgresql" or place.administration is None:
        return
    with closing(place.administration.connect("setup")) as connection:
        for row in connection.query(SCHEMAS):
            connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {dialect.quote(str(row[0]))} TO PUBLIC")


SCHEMAS = """
SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' ORDER BY nspname <> 'public', oid
"""


def _set_search_path(place: Scratch, path: Sequence[str]) -> None:
    """For every session from now on, as the database has it. A setup does not say which path the application uses: all that it made is on it."""
    if place.administration is None:
        return
    with closing(place.administration.connect("setup")) as connection:
        schemas = list(path) or [str(row[0]) for row in connection.query(SCHEMAS)]
        quoted = ", ".join('"' + schema.replace('"', '""') + '"' for schema in schemas)
        connection.execute(f'ALTER DATABASE "{place.database}" SET search_path TO {quoted}')


def run_setup(place: Scratch, migrations: Sequence[Migration], dialect: Dialect, *, rights: bool = False) -> tuple[str, ...]:
    """Run every statement of the setup in its order, those about rights only when asked to; sentences about those that the server refused."""
    refused: list[str] = []
    with closing(place.connector.connect("setup")) as connection:
        for migration in migrations:
            for statement in migration.statements:
                if _left_out(statement, rights=rights):
                    continue
                fault = run_with_roles(place, connection, statement.sql)
                if fault is not None:
                    refused.append(f"{statement.span}: {_shown(statement.sql, dialect)}: {fault.message}")
    return tuple(refused)


def run_in_any_order(place: Scratch, statements: Iterable[tuple[str, str]], *, before: Sequence[str] = ()) -> tuple[str, ...]:
    """Run (what it makes, SQL), roles that are missing made as they are named; sentences about what could not be made."""
    with closing(place.connector.connect("setup")) as connection:
        for sql in before:
            connection.execute(sql)
        return in_any_order(statements, lambda sql: run_with_roles(place, connection, sql))[1]


def run_with_roles(place: Scratch, connection: Connection, sql: str, *, again: str = "") -> DatabaseFault | None:
    """Run it; a role that it names and that is not here is made first. `again` is run before the next try: a transaction that saw an error
    takes nothing more."""
    while True:
        try:
            connection.query(sql)
        except DatabaseFault as fault:
            extension, instead = stand_ins_for(sql, fault.message)
            if extension:
                if again:
                    connection.execute(again)
                return _stood_in(connection, extension, instead, fault)
            if not place.make_missing(fault.message, fault.code, sql):  # none is made twice
                return fault
            if again:
                connection.execute(again)
                # Inside a transaction the session remembers that there is no such role, until it takes a lock that it does not hold yet.
                connection.query("SELECT count(*) FROM pg_catalog.pg_roles")
        else:
            return None


STOOD_IN = "its types and functions are stand-ins by name"


def _stood_in(connection: Connection, extension: str, instead: Sequence[str], fault: DatabaseFault) -> DatabaseFault:
    """What is said of an extension that the lab's server does not have."""
    for sql in instead:
        with suppress(DatabaseFault):  # made already: a second CREATE EXTENSION IF NOT EXISTS
            connection.query(sql)
    what = STOOD_IN if instead else "nothing stands in for it"
    return DatabaseFault(fault.kind, f"the lab's server does not have {extension}; {what}", code=fault.code)


ROLE_MADE = lazy_regex(r"\s*(?:CREATE|ALTER)\s+(?:ROLE|USER)\b", re.IGNORECASE)
OWNER = lazy_regex(r"\bOWNER\s+TO\b", re.IGNORECASE)


def _left_out(statement: Statement, *, rights: bool) -> bool:
    """Transactions, for one refused statement must not take the others with it; owners and rights, which no query's meaning depends on."""
    if ROLE_MADE.match(statement.sql):
        return True  # the lab makes roles as they are named
    if rights and any(isinstance(one, Grant) for one in statement.operations):
        return False
    return any(
        isinstance(one, TransactionControl | Grant) or (isinstance(one, AlterObject) and OWNER.search(one.sql) is not None)
        for one in statement.operations
    ) or (statement.sql[:5].upper() == "ALTER" and OWNER.search(statement.sql) is not None)


def _shown(sql: str, dialect: Dialect) -> str:
    text = masked(sql, dialect.name, names=EVERYTHING)
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"
