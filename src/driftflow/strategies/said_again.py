"""What hangs on a column, an index, a constraint or a policy of PostgreSQL and goes with it: comments, rights on the column, statistics, marks of the table.
Whoever makes it again says all of that again."""

from __future__ import annotations

from collections.abc import Iterator

from driftflow.dialects.base import Dialect
from driftflow.model.catalog import Column, Constraint, ExtendedStatistics, Index, Policy, Sequence, Table
from driftflow.model.names import Name
from driftflow.model.operations import AlterObject, AlterTableOption, Comment, Operation, SetColumnOption
from driftflow.strategies.grants import grants_again


def of_column(column: Column, table: Table, dialect: Dialect) -> Iterator[Operation]:
    """Of a column that is there again, of its type and with its default."""
    if dialect.name != "postgresql":
        return
    if column.statistics is not None:
        yield SetColumnOption(table=table.name, column=column.name, option="statistics", value=str(column.statistics), only=True)
    if column.options:
        yield SetColumnOption(table=table.name, column=column.name, option="set", value=", ".join(column.options), only=True)
    if column.comment:
        target = f"{dialect.quote_name(table.name)}.{dialect.quote(column.name)}"
        yield Comment(kind="column", target=target, text=column.comment, relation=table.name, column=column.name)
    yield from grants_again(table.name, column.grants, owner=table.owner, dialect=dialect, column=column.name)


def of_index(index: Index, dialect: Dialect) -> Iterator[Operation]:
    if dialect.name != "postgresql":
        return
    if index.comment:
        yield Comment(kind="index", target=dialect.quote_name(index.name), text=index.comment, relation=index.name)
    name = dialect.quote(index.name.name)
    if index.clustered:
        yield AlterTableOption(table=index.table, option="cluster_on", value=name)
    if index.identifies:
        yield AlterTableOption(table=index.table, option="replica_identity", value=f"USING INDEX {name}")


def of_sequence(sequence: Sequence, dialect: Dialect) -> Iterator[Operation]:
    """Of one that is there again; who writes a serial column needs rights on it."""
    if dialect.name != "postgresql":
        return
    target = dialect.quote_name(sequence.name)
    if sequence.comment:
        yield Comment(kind="sequence", target=target, text=sequence.comment, relation=sequence.name)
    yield from grants_again(sequence.name, sequence.grants, owner=sequence.owner, dialect=dialect, kind="SEQUENCE")


def of_constraint(constraint: Constraint, table: Table | None, name: Name, dialect: Dialect) -> Iterator[Operation]:
    """With what hangs on the index that it stands on."""
    if dialect.name != "postgresql" or not constraint.name:
        return
    if constraint.comment:
        target = f"{dialect.quote(constraint.name)} ON {dialect.quote_name(name)}"
        yield Comment(kind="constraint", target=target, text=constraint.comment, relation=name)
    for index in table.indexes if table is not None else ():
        if index.constraint == constraint.name:
            yield from of_index(index, dialect)


def statistics_again(made: ExtendedStatistics, table: Name, dialect: Dialect) -> Iterator[Operation]:
    """Extended statistics themselves: the next ANALYZE fills them."""
    if not made.definition:
        return

    def altered(action: str, sql: str) -> AlterObject:
        return AlterObject(kind="statistics", action=action, name=made.name, sql=sql, relations=(table,))

    yield altered("create", made.definition)
    if made.target is not None:
        yield altered("alter", f"ALTER STATISTICS {made.spelled} SET STATISTICS {made.target}")
    if made.comment:
        yield Comment(kind="statistics", target=made.spelled, text=made.comment)
    if made.owner:
        yield altered("owner", f"ALTER STATISTICS {made.spelled} OWNER TO {dialect.quote(made.owner)}")


def of_policy(policy: Policy, dialect: Dialect) -> Iterator[Operation]:
    if policy.comment and dialect.name == "postgresql":
        target = f"{dialect.quote(policy.name)} ON {dialect.quote_name(policy.table)}"
        yield Comment(kind="policy", target=target, text=policy.comment, relation=policy.table)
