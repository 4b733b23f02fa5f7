"""When an operation may run: before the new application is deployed, or only after the old one is gone."""

from __future__ import annotations

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.dialects.sqlite.keys import rowid_alias
from driftflow.model.catalog import Catalog, Column, PrimaryKey, Table
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterIdentity,
    AlterObject,
    ChangeColumn,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropFunction,
    DropSchema,
    DropTable,
    DropType,
    DropView,
    Grant,
    MoveTable,
    Operation,
    RenameColumn,
    RenameTable,
    SetNotNull,
    SetRowSecurity,
    Truncate,
)
from driftflow.model.plan import Phase
from driftflow.strategies import spoken
from driftflow.strategies.columns.dual_write import fills_before_constraints
from driftflow.strategies.inverses.holdings import holdings
from driftflow.strategies.security import said_row_security
from driftflow.strategies.size import column_is_new, is_new


def phase_of(operation: Operation, at: Situation) -> Phase:
    """contract where code that is running now would break, or where the author asked for a gate; else expand."""
    if at.directives("gate") or at.directives("soft-drop"):
        return "contract"
    return "contract" if breaks_running_code(operation, at) else "expand"


def breaks_running_code(operation: Operation, at: Situation) -> str:
    """What stops working in the application that runs now, as a sentence; empty when nothing is known to.

    What is dropped and made again within the release does not count: it is there again at the end.
    """
    final = at.final or at.catalog
    match operation:
        case DropColumn(table=table, column=column):
            if is_new(at, table) or column_is_new(at, table, column) or _has_column(final, table, column):
                return ""
            return f"code that still uses {table.name}.{column} fails"
        case RenameColumn(table=table, column=column):
            if is_new(at, table) or column_is_new(at, table, column) or _has_column(final, table, column):
                return ""
            return f"code that still says {table.name}.{column} fails"
        case DropTable(name=name) if _lives(at, name) and name.text not in final.tables:
            return f"code that still uses {name.name} fails"
        case DropTable(name=name) | MoveTable(name=name) | RenameTable(name=name):
            return "" if _unknown_or_back(at, final, name) else f"code that still uses {name.name} fails"
        case DropView(name=name):
            known = (at.start or at.catalog).views
            return f"code that still reads {name.name} fails" if name.text in known and name.text not in final.views else ""
        case DropFunction(name=name):
            return (
                f"code that still calls {name.name} fails"
                if _routine(at.start or at.catalog, name) and not _routine(final, name)
                else ""
            )
        case DropType(name=name):
            known_types = (at.start or at.catalog).types
            return f"code that still names {name.name} fails" if name.text in known_types and name.text not in final.types else ""
        case DropSchema(name=schema):
            return f"code that still uses the schema {schema} fails" if schema in (at.start or at.catalog).schemas else ""
        case AlterObject(kind="schema", action="rename", name=Name(name=schema)):
            return f"code that names the schema {schema} fails" if schema in (at.start or at.catalog).schemas else ""
        case Truncate(tables=tables):
            living = [table.name for table in tables if not is_new(at, table)]
            return f"code that reads {', '.join(living)} finds nothing" if living else ""
        case SetNotNull(table=table, column=column):
            return not_null_breaks(at, table, column)
        case ChangeColumn(table=table, column=column, definition=definition):
            return _change_breaks(at, table, column, definition)
        case AddColumn(table=table, column=added) if _must_be_named(added):
            return "" if is_new(at, table) or _is_filled(at, table, added.name) else _left_out(table, added.name)
        case DropDefault(table=table, column=column):
            found = _column(at.catalog, table, column)
            return _default_breaks(at, table, found) if found is not None and not found.nullable else ""
        case DropConstraint(table=table) | AddConstraint(table=table, constraint=PrimaryKey()) if at.can(
            Capability.TABLE_REBUILD_ONLY
        ):
            return _key_breaks(operation, at, final)
        case AlterIdentity(table=table, column=column, action="drop"):
            found = _column(final, table, column)
            return "" if found is None or _is_given(found) or is_new(at, table) else _must_be_said(table, column)
        case SetRowSecurity(table=table) if not at.can(Capability.ROW_SECURITY):
            return said_row_security.breaks(at, table)
        case SetRowSecurity(table=table, action="enable" | "force"):
            return "" if is_new(at, table) else f"connections without the policies' context see no rows of {table.name}"
        case Grant(revoke=True):
            return "roles that still use the right are refused" if _is_there(operation, at) else ""
        case _:
            return ""


def _is_there(operation: Grant, at: Situation) -> bool:
    """Whether something on which the rights are was there before the release."""
    if any(not is_new(at, name) for name in operation.relations):
        return True
    said = operation.said
    return said is not None and not said.by_default and bool(holdings(said, operation.relations, at.catalog, at.dialect))


def not_null_breaks(at: Situation, table: Name, column: str) -> str:
    """Running code does not know a column of this release: it leaves it out, which is a NULL unless a default or a trigger fills it.

    A column that was there before is the application's own affair: data decides, by a guard and a NOT VALID constraint.
    """
    if is_new(at, table) or not column_is_new(at, table, column):
        return ""
    found = _column(at.catalog, table, column)
    if found is not None and (found.default is not None or found.identity is not None or found.generated is not None):
        return ""
    return "" if _is_filled(at, table, column) else _left_out(table, column)


def _default_breaks(at: Situation, table: Name, column: Column) -> str:
    """The default of a NOT NULL column goes: running code leaves a column of this release out, and may leave any other out."""
    if column.default is None or is_new(at, table) or _is_filled(at, table, column.name):
        return ""
    if column_is_new(at, table, column.name):
        return _left_out(table, column.name)
    return _must_be_said(table, column.name)


def _key_breaks(operation: DropConstraint | AddConstraint, at: Situation, final: Catalog) -> str:
    """SQLite: the primary key goes by which the server gives a row its number, or another one comes in its place."""
    now, before, after = at.table(operation.table), (at.start or at.catalog).table(operation.table), final.table(operation.table)
    if now is None or before is None or after is None or is_new(at, operation.table):
        return ""
    column = rowid_alias(before)
    if not column or rowid_alias(after) == column:
        return ""
    key = now.primary_key
    about = key is None or isinstance(operation, AddConstraint) or key.name == operation.name
    return _must_be_said(operation.table, column) if about else ""


def _must_be_said(table: Name, column: str) -> str:
    return f"INSERTs that leave out {table.name}.{column} fail"


def _is_given(column: Column) -> bool:
    """Whether a row that is written without it gets a value of its own."""
    counts = column.autoincrement or column.serial or column.identity is not None
    return counts or column.default is not None or column.generated is not None


def _is_filled(at: Situation, table: Name, column: str) -> bool:
    """Whether a trigger of ours gives the column its value before any constraint looks."""
    return spoken.kept_by_trigger(at, table, column) and fills_before_constraints(at)


def _left_out(table: Name, column: str) -> str:
    return f"INSERTs of the old application leave out {table.name}.{column}"


def _must_be_named(column: Column) -> bool:
    """NOT NULL, and nothing gives it a value where an INSERT gives none."""
    return not (column.nullable or _is_given(column))


def _change_breaks(at: Situation, table: Name, column: str, definition: Column) -> str:
    """CHANGE with another name, or MODIFY to NOT NULL, or to no default."""
    if definition.name.lower() != column.lower():
        if is_new(at, table) or column_is_new(at, table, column) or _has_column(at.final or at.catalog, table, column):
            return ""
        return f"code that still says {table.name}.{column} fails"
    found = _column(at.catalog, table, column)
    if found is None or not _must_be_named(definition):
        return ""
    if found.autoincrement and not is_new(at, table):
        return _must_be_said(table, column)
    return not_null_breaks(at, table, column) if found.nullable else _default_breaks(at, table, found)


def _has_column(catalog: Catalog, table: Name, column: str) -> bool:
    return _column(catalog, table, column) is not None


def _column(catalog: Catalog, table: Name, column: str) -> Column | None:
    found: Table | None = catalog.table(table)
    return found.column(column) if found is not None else None


def _lives(at: Situation, table: Name) -> bool:
    """Whether it has rows of before, under whatever name: the application that runs now may reach it by a former one."""
    found = at.table(table)
    return found is not None and not found.new


def _unknown_or_back(at: Situation, final: Catalog, name: Name) -> bool:
    start = at.start or at.catalog
    if start.complete and name.text not in start.tables and name.text not in start.views:
        return True
    return name.text in final.tables or name.text in final.views


def _routine(catalog: Catalog, name: Name) -> bool:
    return any(routine.name == name for routine in catalog.routines.values())
