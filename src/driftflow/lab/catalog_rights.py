"""What a catalog holds beside what queries name, as the statements that make it: rights, row security and its policies, comments (PostgreSQL)."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Dialect
from driftflow.dialects.mysql.keywords import quote_string
from driftflow.lab.catalog_sql import Made
from driftflow.model.catalog import Catalog, KeptText, Routine, Table, TypeDefinition, View, is_ours
from driftflow.model.names import Name
from driftflow.model.operations import CreatePolicy
from driftflow.strategies.definers import hung_on
from driftflow.strategies.grants import by_name, grants_again


def rights_of(catalog: Catalog, dialect: Dialect) -> Iterator[Made]:
    """(what, SQL), for whoever has made the tables already. On MySQL and MariaDB what accounts hold on tables by their names; SQLite has no rights."""
    if catalog.vendor in ("mysql", "mariadb"):
        for table in catalog.tables.values():
            for grant, _ in by_name(table, table.name, dialect):
                yield f"rights of {grant.roles[0]} on {table.name}", grant.sql
    if catalog.vendor != "postgresql":
        return
    made: list[Routine | TypeDefinition] = [*catalog.routines.values(), *catalog.types.values()]
    for one in made:
        if not is_ours(one.name.schema) and not is_ours(one.name.name):
            yield from ((f"rights and comment of {one.name}", dialect.render(said)) for said in hung_on(one, dialect))
    holders: list[Table | View] = [*catalog.tables.values(), *catalog.views.values()]
    for holder in holders:
        if is_ours(holder.name.name) or is_ours(holder.name.schema):
            continue
        name = dialect.quote_name(holder.name)
        for grant in grants_again(holder.name, holder.grants, owner=holder.owner, dialect=dialect):
            yield f"rights of {grant.roles[0]} on {name}", grant.sql
        kind = "TABLE" if isinstance(holder, Table) else "MATERIALIZED VIEW" if holder.materialized else "VIEW"
        yield from _commented(kind, name, holder.comment, dialect)
        if isinstance(holder, Table):
            yield from _of_table(holder, name, dialect)
        if not (isinstance(holder, Table) and holder.partition_of):
            yield from _of_triggers(holder, name, dialect)


def definers_of(catalog: Catalog, dialect: Dialect) -> Iterator[Made]:
    """MySQL and MariaDB: everything in the database for whoever something in it runs as."""
    found: list[tuple[KeptText | None, str]] = []
    found += [(trigger.kept, f"trigger {trigger.name}") for table in catalog.tables.values() for trigger in table.triggers]
    found += [(one.kept, f"view {one.name.name}") for one in catalog.views.values()]
    found += [(one.kept, f"{one.kind} {one.name.name}") for one in catalog.routines.values()]
    for kept, what in found:
        user, host = kept.account if kept is not None else ("", "")
        if user and catalog.database:
            account = f"{quote_string(user)}@{quote_string(host)}"
            yield f"rights for {what}", f"GRANT ALL ON {dialect.quote(catalog.database)}.* TO {account}"


def _of_table(table: Table, name: str, dialect: Dialect) -> Iterator[Made]:
    for column in table.columns if table.partition_of is None else ():
        yield from _commented("COLUMN", f"{name}.{dialect.quote(column.name)}", column.comment, dialect)
    for constraint in table.constraints if table.partition_of is None else ():
        yield from _commented("CONSTRAINT", f"{dialect.quote(constraint.name)} ON {name}", constraint.comment, dialect)
    for index in table.indexes:
        yield from _commented(
            "INDEX", dialect.quote_name(Name(schema=table.name.schema, name=index.name.name)), index.comment, dialect
        )
    for policy in table.policies:
        yield f"policy {policy.name} of {table.name}", dialect.render(CreatePolicy(policy=policy))
    if table.row_security or table.row_security_forced:
        for forced, wanted in ((False, table.row_security), (True, table.row_security_forced)):
            if wanted:
                verb = "FORCE" if forced else "ENABLE"
                yield f"row security of {table.name}", f"ALTER TABLE {name} {verb} ROW LEVEL SECURITY"
    if table.replica_identity in ("f", "n"):
        yield (
            f"replica identity of {table.name}",
            f"ALTER TABLE {name} REPLICA IDENTITY {'FULL' if table.replica_identity == 'f' else 'NOTHING'}",
        )


FIRING = {"D": "DISABLE", "R": "ENABLE REPLICA", "A": "ENABLE ALWAYS"}
"""How tgenabled is said, where it is not as CREATE TRIGGER leaves it."""


def _of_triggers(holder: Table | View, name: str, dialect: Dialect) -> Iterator[Made]:
    for trigger in holder.triggers:
        quoted = dialect.quote(trigger.name)
        yield from _commented("TRIGGER", f"{quoted} ON {name}", trigger.comment, dialect)
        if trigger.enabled in FIRING and isinstance(holder, Table):
            yield f"when trigger {trigger.name} fires", f"ALTER TABLE {name} {FIRING[trigger.enabled]} TRIGGER {quoted}"


def _commented(kind: str, name: str, comment: str, dialect: Dialect) -> Iterator[Made]:
    if comment:
        yield f"comment on {name}", f"COMMENT ON {kind} {name} IS {dialect.literal(comment)}"
