"""What resolve does to each operation."""

from __future__ import annotations

from typing import assert_never

from driftflow.dialects.postgresql.parse.data import bounded_by_key
from driftflow.dialects.postgresql.resolve import place
from driftflow.dialects.postgresql.resolve.expression import resolved_expression, resolved_type
from driftflow.dialects.postgresql.resolve.keys import Chooser, named, named_index
from driftflow.dialects.postgresql.resolve.sequence import owner
from driftflow.dialects.postgresql.resolve.table import add_column, create_table, resolved_column, usual_identity
from driftflow.dialects.postgresql.resolve.trigger import resolved_trigger
from driftflow.model import operations as op
from driftflow.model.catalog import Catalog, Index, NotNull, PrimaryKey, Table, TypeDefinition, Unique
from driftflow.model.names import Name
from driftflow.model.operations import Operation
from driftflow.model.operations.object import Published, Rights
from driftflow.model.operations.rules import not_null_is_named
from driftflow.model.operations.sequences import usual
from driftflow.model.record import replace


def resolve(operation: Operation, catalog: Catalog) -> Operation:
    """The operation with nothing left implicit. What the catalog does not know keeps its place on the path; `after` says that it is missing."""
    found = _resolve(operation, catalog)
    if found.table_if_exists:
        target = getattr(found, "table", None) or getattr(found, "name", None)
        if isinstance(target, Name) and place.exists(target, catalog):
            return replace(found, table_if_exists=False)
    return found


def _resolve(operation: Operation, catalog: Catalog) -> Operation:
    match operation:
        case op.CreateTable():
            return create_table(operation, catalog)
        case op.AddColumn():
            return add_column(operation, catalog)
        case op.AddConstraint():
            return _add_constraint(operation, catalog)
        case op.SetNotNull():
            return _set_not_null(operation, catalog)
        case op.SetExpression():
            return _set_expression(operation, catalog)
        case op.AlterIdentity():
            return _alter_identity(operation, catalog)
        case op.SetDefault():
            table, default = place.relation(operation.table, catalog), resolved_expression(operation.default, catalog)
            return replace(operation, table=table, default=default)
        case op.AlterColumnType():
            table, type_ = place.relation(operation.table, catalog), resolved_type(operation.type, catalog)
            return replace(operation, table=table, type=type_, using=resolved_expression(operation.using, catalog))
        case op.AlterPolicy():
            using, check = resolved_expression(operation.using, catalog), resolved_expression(operation.check, catalog)
            table, reads = place.relation(operation.table, catalog), place.relations(operation.reads, catalog)
            return replace(operation, table=table, using=using, check=check, reads=reads)
        case op.CreateTableAs():
            name = place.new(operation.name, catalog, temporary=operation.temporary)
            return replace(operation, name=name, reads=place.relations(operation.reads, catalog))
        case (
            op.DropColumn()
            | op.RenameColumn()
            | op.DropDefault()
            | op.DropNotNull()
            | op.DropExpression()
            | op.SetColumnOption()
            | op.ValidateConstraint()
            | op.AlterConstraint()
            | op.DropConstraint()
            | op.RenameConstraint()
            | op.AlterTableOption()
            | op.EnableTrigger()
            | op.AlterTrigger()
            | op.SetRowSecurity()
            | op.DropPolicy()
        ):
            return replace(operation, table=_table(operation, catalog))
        case op.RewriteTable() | op.DropTrigger() | op.Copy():
            return operation if operation.table is None else replace(operation, table=place.relation(operation.table, catalog))
        case op.AttachPartition() | op.DetachPartition():
            partition = place.relation(operation.partition, catalog)
            return replace(operation, table=place.relation(operation.table, catalog), partition=partition)
        case op.SetInherit():
            return replace(
                operation, table=place.relation(operation.table, catalog), parent=place.relation(operation.parent, catalog)
            )
        case (
            op.DropTable()
            | op.RenameTable()
            | op.MoveTable()
            | op.DropView()
            | op.AlterView()
            | op.RefreshView()
            | op.DropSequence()
        ):
            return replace(operation, name=place.relation(operation.name, catalog))
        case op.CreateIndex():
            return replace(operation, index=named_index(operation.index, catalog))
        case op.DropIndex() | op.RenameIndex() | op.AlterIndex():
            return _on_index(operation, catalog)
        case op.Reindex():
            return _reindex(operation, catalog)
        case op.CreateView():
            return _create_view(operation, catalog)
        case op.CreateTrigger():
            touches = place.relations(operation.touches, catalog)
            return replace(operation, trigger=resolved_trigger(operation.trigger, catalog), touches=touches)
        case op.CreateFunction():
            routine = operation.routine
            name, reads = place.new(routine.name, catalog), place.relations(routine.depends_on, catalog)
            return replace(operation, routine=replace(routine, name=name, depends_on=reads))
        case op.DropFunction():
            return replace(operation, name=place.routine(operation.name, catalog))
        case op.CreateType():
            return replace(operation, type=_type(operation, catalog))
        case op.AlterDomain():
            return _alter_domain(operation, catalog)
        case op.AddEnumValue() | op.RenameEnumValue() | op.DropType():
            return replace(operation, name=place.known(operation.name, catalog, catalog.types))
        case op.CreateSequence():
            sequence = operation.sequence
            name = place.new(sequence.name, catalog, temporary=operation.temporary)
            changed = replace(sequence, name=name, owned_by=owner(sequence.owned_by, catalog), options=usual(sequence.options))
            return replace(operation, sequence=changed)
        case op.AlterSequence():
            owned_by = owner(operation.owned_by, catalog) if operation.owned_by else operation.owned_by
            return replace(operation, name=place.relation(operation.name, catalog), owned_by=owned_by)
        case op.CreatePolicy():
            policy = operation.policy
            using, check = resolved_expression(policy.using, catalog), resolved_expression(policy.check, catalog)
            table = place.relation(policy.table, catalog)
            return replace(
                operation,
                policy=replace(policy, table=table, using=using, check=check),
                reads=place.relations(operation.reads, catalog),
            )
        case op.Comment(relation=Name() as relation):
            return replace(operation, relation=place.relation(relation, catalog))
        case op.Comment(kind=kind, name=Name() as name):
            return replace(operation, name=_object(kind, name, catalog))
        case op.Comment():
            return operation
        case op.AlterObject(
            kind="type" | "domain" | "domain_constraint", action="alter" | "rename" | "set_schema" | "owner", name=Name() as name
        ):
            return replace(operation, name=place.known(name, catalog, catalog.types))
        case op.AlterObject(published=Published() as said):
            tables = tuple(replace(one, table=place.relation(one.table, catalog)) for one in said.tables)
            schemas = tuple(one or next(iter(catalog.search_path), "") for one in said.schemas)
            relations = place.relations(operation.relations, catalog)
            return replace(operation, relations=relations, published=replace(said, tables=tables, schemas=schemas))
        case op.Grant(said=Rights() as rights):
            objects = tuple(_object(rights.kind, name, catalog) for name in rights.objects)
            relations = place.relations(operation.relations, catalog)
            return replace(operation, relations=relations, said=replace(rights, objects=objects))
        case op.Grant() | op.AlterObject() | op.DropObject() | op.RawSql():
            return replace(operation, relations=place.relations(operation.relations, catalog))
        case op.Insert():
            reads = place.relations(operation.reads, catalog)
            return replace(operation, table=place.relation(operation.table, catalog), reads=reads)
        case op.Update() | op.Delete():
            return _change(operation, catalog)
        case op.Truncate() | op.LockTable():
            return replace(operation, tables=place.relations(operation.tables, catalog))
        case op.Select():
            reads, writes = place.relations(operation.reads, catalog), place.relations(operation.writes, catalog)
            return replace(operation, reads=reads, writes=writes)
        case op.CreateSchema() | op.DropSchema() | op.CreateExtension() | op.TransactionControl() | op.SetSetting() | op.Pragma():
            return operation
        case op.ChangeColumn() | op.ConvertCharset() | op.AlterPartitions() | op.RequestAlgorithm():
            return operation
        case _:
            assert_never(operation)


def _object(kind: str, name: Name, catalog: Catalog) -> Name:
    """A type, function or procedure as the path finds it; of other kinds the name as it is written."""
    match kind:
        case "type" | "domain":
            return place.known(name, catalog, catalog.types)
        case "function" | "procedure" | "routine" | "aggregate":
            return place.routine(name, catalog)
        case _:
            return name


def _table(
    operation: (
        op.DropColumn
        | op.RenameColumn
        | op.DropDefault
        | op.DropNotNull
        | op.DropExpression
        | op.SetColumnOption
        | op.ValidateConstraint
        | op.AlterConstraint
        | op.DropConstraint
        | op.RenameConstraint
        | op.AlterTableOption
        | op.EnableTrigger
        | op.AlterTrigger
        | op.SetRowSecurity
        | op.DropPolicy
    ),
    catalog: Catalog,
) -> Name:
    if isinstance(operation, op.RenameColumn) and operation.relation_kind == "type":
        return place.known(operation.table, catalog, catalog.types)
    return place.relation(operation.table, catalog)


def _add_constraint(operation: op.AddConstraint, catalog: Catalog) -> op.AddConstraint:
    name = place.relation(operation.table, catalog)
    table = catalog.table(name) or Table(name=name)
    given = operation.constraint
    if isinstance(given, NotNull) and not given.name:  # one that is there already stays, by its own name
        there = next((one for one in table.constraints if isinstance(one, NotNull) and one.column == given.column), None)
        column = table.column(given.column)
        if there is not None or (column is not None and not column.nullable):
            return replace(operation, table=name, constraint=replace(given, name=there.name if there is not None else ""))
    (constraint,) = named((operation.constraint,), table, catalog, Chooser(catalog, name.schema))
    if isinstance(constraint, (PrimaryKey, Unique)) and constraint.using_index and not constraint.columns:
        index = table.index(constraint.using_index)
        if index is not None:
            constraint = replace(constraint, columns=index.columns, include=index.include)
    return replace(operation, table=name, constraint=constraint)


def _set_not_null(operation: op.SetNotNull, catalog: Catalog) -> op.SetNotNull:
    name = place.relation(operation.table, catalog)
    chosen = operation.constraint_name
    if not chosen and not_null_is_named(catalog):
        chosen = Chooser(catalog, name.schema).constraint(name.name, operation.column, "not_null")
    return replace(operation, table=name, constraint_name=chosen)


def _alter_identity(operation: op.AlterIdentity, catalog: Catalog) -> op.AlterIdentity:
    name = place.relation(operation.table, catalog)
    table = catalog.table(name)
    column = table.column(operation.column) if table is not None else None
    if operation.action != "add" or operation.identity is None or column is None:
        return replace(operation, table=name)
    identity = usual_identity(operation.identity, column.type, name, operation.column, catalog)
    return replace(operation, table=name, identity=identity)


def _set_expression(operation: op.SetExpression, catalog: Catalog) -> op.SetExpression:
    name = place.relation(operation.table, catalog)
    table = catalog.table(name)
    column = table.column(operation.column) if table is not None else None
    stored = column.generated.stored if column is not None and column.generated is not None else True
    expression = resolved_expression(operation.generated.expression, catalog)
    return replace(operation, table=name, generated=replace(operation.generated, stored=stored, expression=expression))


def _on_index(operation: op.DropIndex | op.RenameIndex | op.AlterIndex, catalog: Catalog) -> Operation:
    found: Index | None = place.index(operation.name, catalog)
    name = found.name if found is not None else place.new(operation.name, catalog)
    table = found.table if found is not None else operation.table
    if isinstance(operation, op.AlterIndex) and operation.child is not None:
        return replace(operation, name=name, table=table, child=place.index_name(operation.child, catalog))
    return replace(operation, name=name, table=table)


def _reindex(operation: op.Reindex, catalog: Catalog) -> op.Reindex:
    if operation.name is None or operation.kind not in {"index", "table"}:
        return operation
    find = place.index_name if operation.kind == "index" else place.relation
    return replace(operation, name=find(operation.name, catalog))


def _create_view(operation: op.CreateView, catalog: Catalog) -> op.CreateView:
    view = operation.view
    name = place.new(view.name, catalog, temporary=operation.temporary)
    return replace(operation, view=replace(view, name=name, depends_on=place.relations(view.depends_on, catalog)))


def _type(operation: op.CreateType, catalog: Catalog) -> TypeDefinition:
    defined = operation.type
    name = place.new(defined.name, catalog)
    chooser = Chooser(catalog, name.schema)
    for check in defined.checks:
        chooser.given(check.name)
    checks = tuple(
        check if check.name else replace(check, name=chooser.constraint(name.name, "", "check")) for check in defined.checks
    )
    return replace(
        defined,
        name=name,
        checks=checks,
        base=resolved_type(defined.base, catalog),
        default=resolved_expression(defined.default, catalog) if defined.default is not None else None,
        attributes=tuple(resolved_column(attribute, name, catalog) for attribute in defined.attributes),
    )


def _alter_domain(operation: op.AlterDomain, catalog: Catalog) -> op.AlterDomain:
    name = place.known(operation.name, catalog, catalog.types)
    check = operation.check
    if check is not None and not check.name:
        chooser = Chooser(catalog, name.schema)
        domain = catalog.types.get(name.text)
        for one in domain.checks if domain is not None else ():
            chooser.given(one.name)
        check = replace(check, name=chooser.constraint(name.name, "", "check"))
    value = check.name if check is not None else operation.value
    return replace(operation, name=name, check=check, value=value)


def _change(operation: op.Update | op.Delete, catalog: Catalog) -> Operation:
    name = place.relation(operation.table, catalog)
    table = catalog.table(name)
    bounded = operation.bounded or (table is not None and bounded_by_key(operation.where, unique_keys(table)))
    return replace(operation, table=name, reads=place.relations(operation.reads, catalog), bounded=bounded)


def unique_keys(table: Table) -> tuple[tuple[str, ...], ...]:
    """The column lists of every key that names one row: primary and unique keys, and whole unique indexes."""
    keys = [one.columns for one in table.constraints if isinstance(one, (PrimaryKey, Unique))]
    keys += [
        index.columns
        for index in table.indexes
        if index.unique and not index.predicate and all(part.column for part in index.parts)
    ]
    return tuple(dict.fromkeys(keys))
