"""SQLite: a change that ALTER TABLE cannot make, by building the table anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from driftflow.dialects.base import Capability
from driftflow.dialects.situation import Situation
from driftflow.model.catalog import Catalog, PrimaryKey, Unique
from driftflow.model.effects import LockClaim
from driftflow.model.names import Name
from driftflow.model.operations import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    AlterConstraint,
    DropColumn,
    DropConstraint,
    DropDefault,
    DropExpression,
    DropNotNull,
    Operation,
    RenameConstraint,
    SetDefault,
    SetExpression,
    SetNotNull,
)
from driftflow.model.plan import Guard, Irreversible, Phase, RebuildTable, Undo, UndoNothing, UndoSteps
from driftflow.model.record import replace
from driftflow.strategies.columns.filling import chunk_policy
from driftflow.strategies.inverses.inverse import inverse
from driftflow.strategies.passes import moved
from driftflow.strategies.rebuild.outdated_texts import outdated_texts
from driftflow.strategies.recipe import Recipe
from driftflow.strategies.size import is_large

STRATEGY = "rebuild_table"

Rebuilt = (
    AlterColumnType
    | SetDefault
    | DropDefault
    | SetNotNull
    | DropNotNull
    | SetExpression
    | DropExpression
    | AddConstraint
    | DropConstraint
    | AlterConstraint
    | RenameConstraint
)


def needs_rebuild(operation: Operation, at: Situation, catalog: Catalog | None = None) -> bool:
    """Whether this server's ALTER TABLE cannot do it (on `catalog`, where that is not the situation's own)."""
    if not at.can(Capability.TABLE_REBUILD_ONLY):
        return False
    if isinstance(operation, AddColumn):
        return add_column_needs_rebuild(operation)
    if not isinstance(operation, DropColumn | Rebuilt):
        return False
    effects = at.dialect.effects(operation, catalog or at.catalog)
    return any(condition.certain and condition.kind in ("unsupported", "dependency") for condition in effects.fails_if)


def add_column_needs_rebuild(operation: AddColumn) -> bool:
    """PRIMARY KEY, UNIQUE, STORED, a default that is not constant, NOT NULL without a default, a referencing column with a default."""
    from driftflow.dialects.sqlite.constants import is_constant

    column = operation.column
    if any(isinstance(constraint, PrimaryKey | Unique) for constraint in operation.constraints):
        return True
    if column.generated is not None:
        return column.generated.stored
    if column.default is not None and not is_constant(column.default):
        return True
    if not column.nullable and (column.default is None or column.default.upper() == "NULL"):
        return True
    references = any(getattr(constraint, "referenced", None) is not None for constraint in operation.constraints)
    return references and column.default is not None and column.default.upper() != "NULL"


def rebuild(
    recipe: Recipe,
    operations: Sequence[Operation],
    *,
    table: Name,
    phase: Phase,
    guards: tuple[Guard, ...] = (),
    expressions: Mapping[str, str] | None = None,
    renamed: tuple[str, ...] = (),
) -> RebuildTable:
    """One rebuild that carries out all of the operations; undone by a rebuild back, unless one of them loses something. `renamed` are columns that
    earlier steps of the same recipe rename."""
    before = recipe.catalog
    after = before
    for operation in operations:
        after = moved(after, operation)
    recipe.catalog = after
    purpose = _purpose(table, operations)
    step = _step(recipe, before, after, table, phase=phase, expressions=expressions or {}, purpose=purpose, renamed=renamed)
    return replace(step, guards=guards, undo=_undo(recipe, operations, before, after, table, phase=phase, renamed=renamed))


def remade(
    recipe: Recipe,
    after: Catalog,
    table: Name,
    *,
    phase: Phase,
    expressions: Mapping[str, str],
    guards: tuple[Guard, ...],
    undo: Undo,
) -> RebuildTable:
    """One rebuild to what the table is in `after`, each row with what `expressions` say of its old one."""
    before, recipe.catalog = recipe.catalog, after
    purpose = f"Rebuild {table.name}: as the migration makes it anew"
    step = _step(recipe, before, after, table, phase=phase, expressions=expressions, purpose=purpose)
    return replace(step, guards=guards, undo=undo)


def _purpose(table: Name, operations: Sequence[Operation]) -> str:
    changes = ", ".join(dict.fromkeys(_said(operation) for operation in operations))
    return f"Rebuild {table.name}: {changes}"


def _said(operation: Operation) -> str:
    match operation:
        case SetNotNull(column=column):
            return f"{column} NOT NULL"
        case DropNotNull(column=column):
            return f"{column} nullable"
        case AddColumn(column=added):
            return f"add {added.name}"
        case DropColumn(column=column):
            return f"drop {column}"
        case AlterColumnType(column=column, type=type):
            return f"{column} becomes {type}"
        case SetDefault(column=column) | DropDefault(column=column):
            return f"default of {column}"
        case AddConstraint(constraint=constraint):
            return f"add {constraint.name or 'a constraint'}"
        case DropConstraint(name=name):
            return f"drop {name}"
        case _:
            return "change its definition"


def _step(
    recipe: Recipe,
    before: Catalog,
    after: Catalog,
    table: Name,
    *,
    phase: Phase,
    expressions: Mapping[str, str],
    purpose: str,
    renamed: tuple[str, ...] = (),
) -> RebuildTable:
    from driftflow.dialects.sqlite.online import foreign_keys_change, online_copy
    from driftflow.dialects.sqlite.rebuild import rebuild_step_parts

    at = recipe.at
    old, new = before.table(table), after.table(table)
    assert old is not None
    assert new is not None
    parts = rebuild_step_parts(old, new, before, expressions=dict(expressions))
    online = None
    if is_large(at, table):
        online = online_copy(old, new, before, temporary_name=parts.temporary_name, copy=parts.copy, chunk=chunk_policy(at))
    return RebuildTable(
        **recipe.common(purpose, phase) | {"strategy": STRATEGY},
        table=table,
        create_sql=parts.create_sql,
        temporary_name=parts.temporary_name,
        copy=parts.copy,
        drop_views=parts.drop_views,
        restore=parts.restore,
        outdated=outdated_texts(at, parts, old, new, renamed=renamed),
        autoincrement=parts.autoincrement,
        expected_sql=parts.expected_sql,
        rows_estimate=at.rows(table),
        foreign_keys_change=foreign_keys_change(old, new, before, copy=parts.copy),
        online=online,
        claims=rebuild_claims(after, table)
        if online is None
        else online_claims(after, table, indexes=_indexes_made(parts.restore)),
        indivisible=online is None,
        statement_timeout_ms=0,
    )


def _indexes_made(restore: Sequence[str]) -> int:
    return sum(statement.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")) for statement in restore)


def rebuild_claims(catalog: Catalog, table: Name) -> tuple[LockClaim, ...]:
    """The file's only writer for the whole copy; in WAL mode readers go on."""
    wal = catalog.settings.get("journal_mode", "").lower() == "wal"
    return (
        LockClaim(
            relation=table,
            mode="EXCLUSIVE",
            blocks=("writes", "ddl") if wal else ("reads", "writes", "ddl"),
            held="copy",
            queues=False,
            why="the table is copied in one transaction",
        ),
    )


def online_claims(catalog: Catalog, table: Name, *, indexes: int) -> tuple[LockClaim, ...]:
    """Chunks, each for as long as its target; then the swap, for as long as the indexes take: SQLite cannot rename one, and the unique ones must
    be there before a writer returns."""
    wal = catalog.settings.get("journal_mode", "").lower() == "wal"
    rebuilt = f"the swap: {indexes} index{'es are' if indexes != 1 else ' is'} made anew" if indexes else "the swap: two renames"
    return (
        LockClaim(
            relation=table,
            mode="EXCLUSIVE",
            blocks=("writes", "ddl") if wal else ("reads", "writes", "ddl"),
            held="index_build" if indexes else "instant",
            queues=False,
            why=rebuilt,
        ),
        LockClaim(
            relation=table, mode="RESERVED", blocks=("writes", "ddl"), held="instant", queues=False, why="one chunk at a time"
        ),
    )


def rebuild_back(recipe: Recipe, operation: Operation, catalog: Catalog, *, phase: Phase) -> RebuildTable:
    """One inverse operation that ALTER TABLE cannot do, as a step of an undo."""
    table = getattr(operation, "table")  # noqa: B009 - every operation that is rebuilt has one
    after = moved(catalog, operation)
    step = _step(recipe, catalog, after, table, phase=phase, expressions={}, purpose=_purpose(table, (operation,)))
    return replace(step, strategy="undo", resolves=())


def rebuild_as_it_was(
    at: Situation, after: Catalog, before: Catalog, table: Name, *, phase: Phase, expressions: Mapping[str, str]
) -> RebuildTable:
    """From the table in `after` to the one in `before`, where `expressions` say what the columns that come back hold."""
    purpose = f"Rebuild {table.name} as it was"
    step = _step(Recipe(at, "undo"), after, before, table, phase=phase, expressions=expressions, purpose=purpose)
    return replace(step, strategy="undo", resolves=())


def _undo(
    recipe: Recipe,
    operations: Sequence[Operation],
    before: Catalog,
    after: Catalog,
    table: Name,
    *,
    phase: Phase,
    renamed: tuple[str, ...],
) -> Undo:
    catalog = before
    for operation in operations:
        found = inverse(operation, catalog, recipe.at)
        if isinstance(found, Irreversible):
            return found
        catalog = moved(catalog, operation)
    old, new = before.table(table), after.table(table)
    if old is None or new is None or (old.new and new.new):
        return UndoNothing(reason=f"{table} is made by this release and goes with the undo of the step that creates it")
    purpose = f"Rebuild {table.name} as it was"
    return UndoSteps(steps=(_step(recipe, after, before, table, phase=phase, expressions={}, purpose=purpose, renamed=renamed),))
