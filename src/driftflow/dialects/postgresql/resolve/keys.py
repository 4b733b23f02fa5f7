"""Names of constraints and indexes as the server makes them up, and the columns that a foreign key leaves out."""

from __future__ import annotations

from typing import Any

from driftflow.dialects.postgresql import grammar
from driftflow.dialects.postgresql.expressions import expression_node
from driftflow.dialects.postgresql.names import columns_part
from driftflow.dialects.postgresql.resolve import place
from driftflow.dialects.postgresql.resolve.expression import resolved_expression
from driftflow.model.catalog import (
    Catalog,
    Check,
    Constraint,
    Exclusion,
    ForeignKey,
    Index,
    NotNull,
    PrimaryKey,
    Table,
    Unique,
)
from driftflow.model.names import Name
from driftflow.model.operations.lookup import taken
from driftflow.model.operations.naming import apart, index_columns, made_name
from driftflow.model.operations.rules import not_null_is_named
from driftflow.model.record import replace


class Chooser:
    """Made-up names for one statement: what it made up itself is taken, too."""

    def __init__(self, catalog: Catalog, schema: str) -> None:
        self._relation_taken = taken(catalog, schema)
        self._catalog, self._schema = catalog, schema
        self._mine: set[str] = set()

    def relation(self, first: str, second: str, label: str, *, constraint: bool = False) -> str:
        """ChooseRelationName: free among the relations of the schema, and for a key among its constraints, too."""
        return self._keep(
            made_name(
                first,
                second,
                label,
                lambda name: name in self._mine or self._relation_taken(name) or (constraint and self._constraint_taken(name)),
            )
        )

    def constraint(self, first: str, second: str, label: str) -> str:
        """ChooseConstraintName: free among the constraints of the whole schema."""
        return self._keep(made_name(first, second, label, lambda name: name in self._mine or self._constraint_taken(name)))

    def given(self, name: str) -> None:
        """A name that the statement itself gives."""
        if name:
            self._mine.add(name)

    def _keep(self, name: str) -> str:
        self._mine.add(name)
        return name

    def _constraint_taken(self, name: str) -> bool:
        return self._catalog.has_constraint(self._schema, name)


def columns_of(expression: str) -> tuple[str, ...]:
    """The columns that an expression reads, each once."""
    found: dict[str, None] = {}
    _collect(expression_node(expression), found)
    return tuple(found)


def _collect(node: Any, found: dict[str, None]) -> None:
    if isinstance(node, list):
        for item in node:
            _collect(item, found)
    elif isinstance(node, dict):
        if "ColumnRef" in node:
            names = [field["String"]["sval"] for field in node["ColumnRef"]["fields"] if "String" in field]
            found[names[-1] if names else "*"] = None
            return
        for value in node.values():
            if isinstance(value, (dict, list)):
                _collect(value, found)


def exclusion_columns(definition: str) -> tuple[str, ...]:
    """The keys of an exclusion constraint for its name, `expr` for an expression."""
    try:
        (node,) = grammar.parse(f"ALTER TABLE x ADD EXCLUDE {definition}")
    except (grammar.SyntaxFault, grammar.TooDeep, ValueError):
        return ()
    body = node["stmt"]["AlterTableStmt"]["cmds"][0]["AlterTableCmd"]["def"]["Constraint"]
    parts = [element["List"]["items"][0]["IndexElem"] for element in body["exclusions"]]
    names: list[str] = []
    for part in parts:
        wanted = candidate = part.get("name", "expr")
        attempt = 0
        while candidate in names:
            attempt += 1
            candidate = f"{wanted}{attempt}"
        names.append(candidate)
    return tuple(names)


def named(constraints: tuple[Constraint, ...], table: Table, catalog: Catalog, chooser: Chooser) -> tuple[Constraint, ...]:
    """The constraints with names, chosen in the order in which the server chooses them: checks, primary key, other keys, foreign keys."""
    for constraint in constraints:
        chooser.given(constraint.name)
    order = sorted(range(len(constraints)), key=lambda position: (_turn(constraints[position]), position))
    done: dict[int, Constraint] = {}
    for position in order:
        done[position] = _named(constraints[position], table, catalog, chooser)
    return tuple(done[position] for position in range(len(constraints)))


def _turn(constraint: Constraint) -> int:
    match constraint:
        case Check():
            return 0
        case NotNull():
            return 1
        case PrimaryKey():
            return 2
        case Unique() | Exclusion():
            return 3
        case ForeignKey():
            return 4


def _named(constraint: Constraint, table: Table, catalog: Catalog, chooser: Chooser) -> Constraint:
    name, relation = constraint.name, table.name.name
    match constraint:
        case Check():
            columns = () if name else columns_of(constraint.expression)
            only = columns[0] if len(columns) == 1 and columns[0] != "*" else ""
            expression = resolved_expression(constraint.expression, catalog)
            return replace(constraint, name=name or chooser.constraint(relation, only, "check"), expression=expression)
        case PrimaryKey() | Unique() if constraint.using_index and not name:
            return replace(constraint, name=constraint.using_index)
        case PrimaryKey():
            return replace(constraint, name=name or chooser.relation(relation, "", "pkey", constraint=True))
        case Unique():
            columns = apart((*constraint.columns, *constraint.include))
            return replace(constraint, name=name or chooser.relation(relation, columns_part(columns), "key", constraint=True))
        case Exclusion():
            middle = "" if name else columns_part(exclusion_columns(constraint.definition))
            return replace(constraint, name=name or chooser.relation(relation, middle, "excl", constraint=True))
        case ForeignKey():
            key = _foreign_key(constraint, table, catalog)
            return replace(key, name=name or chooser.constraint(relation, columns_part(key.columns), "fkey"))
        case NotNull():
            chosen = name
            if not name and not_null_is_named(catalog):
                chosen = chooser.constraint(relation, constraint.column, "not_null")
            return replace(constraint, name=chosen)


def _foreign_key(key: ForeignKey, table: Table, catalog: Catalog) -> ForeignKey:
    """The referenced table with its schema; where no columns are named, its primary key."""
    bare_self = not key.referenced.schema and key.referenced.name == table.name.name
    referenced = (
        table.name if bare_self and place.relation(key.referenced, catalog).text not in catalog.tables else key.referenced
    )
    referenced = place.relation(referenced, catalog)
    target = table if referenced == table.name else catalog.table(referenced)
    columns = key.referenced_columns
    if not columns and target is not None and target.primary_key is not None:
        columns = target.primary_key.columns
    return replace(key, referenced=referenced, referenced_columns=columns, match="" if key.match == "SIMPLE" else key.match)


def named_index(index: Index, catalog: Catalog) -> Index:
    """The index with its table's schema, and the name that the server would give it."""
    table = place.relation(index.table, catalog)
    name = index.name.name or Chooser(catalog, table.schema).relation(table.name, index_columns(index), "idx")
    parts = tuple(
        replace(part, expression=resolved_expression(part.expression, catalog)) if part.expression else part
        for part in index.parts
    )
    predicate = resolved_expression(index.predicate, catalog) if index.predicate else ""
    return replace(index, name=Name(schema=table.schema, name=name), table=table, parts=parts, predicate=predicate)
