"""When a rebuild beside the table is wanted on MySQL and MariaDB, and what stands in its way."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, ForeignKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterTableOption,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    DropConstraint,
    DropDefault,
    DropIndex,
    Operation,
    RenameColumn,
    RenameIndex,
    RewriteTable,
    SetColumnOption,
    SetDefault,
)
from driftflow.model.record import replace
from driftflow.strategies.columns.filling import chunk_key
from driftflow.strategies.passes import Pass
from driftflow.strategies.rebuild import own_triggers, rebuild_checks
from driftflow.strategies.rebuild.cascades import ancestors, cascades, cascading, moved_keys
from driftflow.strategies.rebuild.paired import is_timestamp
from driftflow.strategies.rebuild.rebuild_children import pointing_at
from driftflow.strategies.rebuild.rebuild_columns import renamed
from driftflow.strategies.recipe import after_all

DONE = (
    AddColumn,
    AddConstraint,
    AlterConstraint,
    AlterTableOption,
    ChangeColumn,
    ConvertCharset,
    CreateIndex,
    DropConstraint,
    DropDefault,
    DropIndex,
    RenameColumn,
    RenameIndex,
    RewriteTable,
    SetColumnOption,
    SetDefault,
)
"""Clauses that leave every row what it was, in another form."""
UNORDERED = ("enum", "set", "bit", "json", "float", "double", "real")
"""A walk along them would leave rows out, or not find them again."""
TRIGGERS = frozenset(("by-trigger", "dual-write", "maintained", "polymorphic", "rule"))
"""Directives whose triggers stay on the table."""
VERSIONED = "WITH SYSTEM VERSIONING"
BEHIND = "zzz_driftflow_"
"""How the names of the two forms begin, and of what triggers of the table write: RENAME TABLE and LOCK TABLES lock tables in the order of their names, and the
table itself must come first. Were it the copy, a write that holds the table and is about to write the copy would have to let go and begin anew; MariaDB 10.11 then
forgets the tables that triggers of triggers need, and the write fails with 1146. Were it the log, who has written a parent and now writes the table would be
ended as the victim of a deadlock (1213)."""


def waits_for_copy(run: Pass) -> bool:
    """Whether writers would wait while rows are read or written. What the author says about ALGORITHM or LOCK stands (no request of ours)."""
    if run.request is None or run.request.lock in ("", "NONE"):
        return False
    return any(effects.work for effects in run.effects)


def obstacle(
    operations: Sequence[Operation],
    catalog: Catalog,
    at: Situation,
    *,
    converted: Collection[str] = (),
    together: Sequence[Sequence[Operation]] = (),
) -> str:
    """Why it cannot be done beside the table, as a sentence; empty where it can. The values of `converted` columns are given by an expression that
    gives the same in every session. `together` are the operations of every table that is rebuilt in the same moment, this one among them: of a foreign
    key between two of them both ends may change."""
    name = at.dialect.altered_table(operations[0]) if at.dialect.one_pass else None
    table = catalog.table(name) if name is not None else None
    if table is None or table.partial:
        return "the table is not known"
    if "NOWAIT" not in at.dialect.held_rows(at.version):
        return "the server cannot lock a row without waiting for it"
    every = together or (operations,)
    names = {found for one in every if (found := at.dialect.altered_table(one[0])) is not None}
    after_catalog = after_all((operation for one in every for operation in one), catalog)
    after = after_catalog.table(table.name)
    if after is None:
        return "the table is not known"
    return (
        _of_operations(operations, table, converted, names)
        or _of_table(table, operations, at)
        or own_triggers.obstacle(table, operations, at, together=names)
        or _of_cascades(table, operations, catalog, at)
        or _of_tied(table, after_catalog, names)
        or _of_children(table, after, operations, catalog, at.final, names)
        or _of_release(table, at, names)
        or _of_key(table, after, operations, at)
    )


def _of_operations(operations: Sequence[Operation], table: Table, converted: Collection[str], together: Collection[Name]) -> str:
    for operation in operations:
        if not isinstance(operation, DONE):
            return "one of its clauses does more than change the form of the rows"
        match operation:
            case AddColumn(column=column) if column.autoincrement:
                return f"{column.name} numbers the rows that there are"
            case AddConstraint(constraint=ForeignKey()):
                return "a foreign key is added"
            case DropConstraint(name=name) if isinstance(table.constraint(name), ForeignKey):
                return "a foreign key is dropped"
            case RewriteTable(action="system_versioning"):
                return "the history of rows cannot be copied"
            case ChangeColumn(column=column) if any(
                column in key.columns and key.referenced not in together for key in table.foreign_keys
            ):
                return f"{column} belongs to a foreign key"
            case ConvertCharset() if table.foreign_keys:
                return f"{table.name.name} has foreign keys, whose columns may change"
            case RewriteTable(action="engine", value=engine) if engine.lower() != "innodb":
                return f"{engine} takes back no row of a transaction that rolls back"
            case ChangeColumn(column=column, definition=definition):
                old = table.column(column)
                if old is not None and (old.generated is None) != (definition.generated is None):
                    return f"{column} begins or ends to be generated"
                moments = old is not None and {_base(old.type), _base(definition.type)} == {"timestamp", "datetime"}
                if moments and column not in converted:
                    return f"{column} would take the time zone of each session that writes it"
            case _:
                pass
    return ""


def _of_table(table: Table, operations: Sequence[Operation], at: Situation) -> str:
    name = table.name.name
    engine = next((option.partition("=")[2] for option in table.options if option.upper().startswith("ENGINE=")), "InnoDB")
    if table.kind != "table" or engine.lower() != "innodb":
        return f"{name} is no table of InnoDB"
    if name.encode() >= BEHIND.encode():
        return f"the server would lock the copy before {name}, whose name comes late in the alphabet"
    if VERSIONED in table.options or any(column.unversioned for column in table.columns):
        return f"{name} keeps the history of its rows"
    named = rebuild_checks.chosen(table, operations, at)
    if named:
        return f"the checks of {name} would lose their names ({', '.join(named)}), which are unique in a database"
    return ""


def _of_cascades(table: Table, operations: Sequence[Operation], catalog: Catalog, at: Situation) -> str:
    """Triggers on the tables that its own keys point at note which rows these change: by the names that the columns have in both forms."""
    try:
        found = cascades(table, catalog)
    except ValueError as circle:
        return str(circle)
    if found and at.dialect.name == "mariadb" and (at.version is None or at.version.major >= 11):
        # 11.8.9: signal 11 in Table_triggers_list::mark_fields_used, at a DELETE of a table that had such a trigger; never on 10.11.
        return f"{cascading(table)[0].name} changes rows of {table.name.name}, and MariaDB 11.8 was seen to crash at triggers that note them"
    moving = moved_keys(found, chunk_key(at, table))
    if moving:
        return f"{moving[0]}, by which {table.name.name} is walked, changes with what it references"
    walked = {*chunk_key(at, table), *(column for key in cascading(table) for column in key.columns)} if found else set()
    changed = walked & renamed(operations, table).keys()
    if changed:
        return f"{', '.join(sorted(changed))} gets another name, by which {cascading(table)[0].name} is followed"
    if at.final is not None and found:
        final = at.final.table(table.name)
        try:
            later = cascades(final, at.final) if final is not None else []
        except ValueError:
            later = []
        if sorted(one.names for one in found) != sorted(one.names for one in later):
            return f"a later statement of the release changes which foreign keys change rows of {table.name.name}"
    return ""


def _of_tied(table: Table, after: Catalog, together: Collection[Name]) -> str:
    """Both ends of a key between tables that are rebuilt together end as the same type."""
    holder = after.table(table.name)
    for key in holder.foreign_keys if holder is not None else ():
        parent = after.table(key.referenced) if key.referenced in together else None
        for here, there in zip(key.columns, key.referenced_columns, strict=False) if parent is not None else ():
            ends = [holder.column(here) if holder is not None else None, parent.column(there) if parent is not None else None]
            if len({(one.type, one.collation) if one is not None else None for one in ends}) > 1:
                return f"{key.name} of {table.name.name} would tie {here} to another type"
    return ""


def _of_children(
    table: Table,
    after: Table,
    operations: Sequence[Operation],
    catalog: Catalog,
    final: Catalog | None,
    together: Collection[Name],
) -> str:
    """What others point at stays as it is: they are turned to the new form without a look at their rows. Those that are rebuilt together are tied anew."""
    for child, keys in [
        *pointing_at(table, catalog),
        (table, tuple(key for key in table.foreign_keys if key.referenced == table.name)),
    ]:
        for key in keys:
            for column in key.referenced_columns if child.name not in together else ():
                old, new = table.column(column), after.column(column)
                if old is None or new is None or (old.type, old.collation) != (new.type, new.collation):
                    return f"{key.name} of {child.name.name} points at {column}, which becomes another"
                if any(isinstance(one, ChangeColumn) and column in (one.column, one.definition.name) for one in operations):
                    return f"{key.name} of {child.name.name} points at {column}, which is changed"
            if not _unique_over(after, key.referenced_columns):
                return f"the new form has no unique key over {', '.join(key.referenced_columns)}, which {key.name} of {child.name.name} points at"
    if final is not None and _pointing(table, catalog) != _pointing(table, final):
        return f"a later statement of the release changes which foreign keys point at {table.name.name}"
    return ""


def _pointing(table: Table, catalog: Catalog) -> set[tuple[str, ForeignKey]]:
    return {(child.name.text, key) for child, keys in pointing_at(table, catalog) for key in keys}


def _unique_over(table: Table, columns: tuple[str, ...]) -> bool:
    indexes = [one.columns for one in table.indexes if one.unique and all(part.prefix is None for part in one.parts)]
    return columns in [*indexes, _primary(table)]


def _of_release(table: Table, at: Situation, together: Collection[Name]) -> str:
    """Triggers that the release keeps on the table until its gate: no catalog knows them, and they would stay with the old one."""
    named_together = {table.name.name.lower(), *(name.name.lower() for name in together)}
    for statement in at.migration.statements:
        verbs = {one.verb for one in statement.directives} & TRIGGERS
        named = [at.dialect.altered_table(operation) for operation in statement.operations]
        if verbs and any(one is not None and one.name.lower() == table.name.name.lower() for one in named):
            return f"the release keeps triggers on {table.name.name} ({', '.join(sorted(verbs))})"
        for one in named:
            if one is not None and one.name.lower() not in named_together and _follows(one, table, at):
                return f"the release changes {one.name}, whose rows follow those of {table.name.name}, and may keep triggers here for it"
    return ""


def _follows(other: Name, table: Table, at: Situation) -> bool:
    """Whether keys change rows of the other table when those of this one change."""
    found = at.catalog.table(other if other.schema else replace(other, schema=table.name.schema))
    try:
        return found is not None and table.name in {one.name for one in ancestors(cascades(found, at.catalog))}
    except ValueError:
        return False


def _of_key(table: Table, after: Table, operations: Sequence[Operation], at: Situation) -> str:
    key = chunk_key(at, table)
    if not key:
        return f"{table.name.name} has no unique key that is NOT NULL (one over columns that are there is made first while writers go on)"
    for column in key:
        found = table.column(column)
        if found is None or _base(found.type) in UNORDERED or found.generated is not None:
            return f"{table.name.name} cannot be walked by {column}"
        if is_timestamp(found.type) and at.can(Capability.TIMESTAMP_BY_SESSION):
            return f"{column} is not found again in every session's time zone"
    names = renamed(operations, table)
    there = tuple(names.get(column, column) for column in key)
    if not _unique_over(after, there) or any(
        (one := after.column(column)) is None or (one.nullable and there != _primary(after)) for column in there
    ):
        return f"the new form has no unique key over {', '.join(there)}"
    return ""


def _primary(table: Table) -> tuple[str, ...]:
    return table.primary_key.columns if table.primary_key is not None else ()


def _base(type: str) -> str:
    return type.lower().partition("(")[0].partition(" ")[0]
