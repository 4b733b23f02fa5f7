"""CREATE TABLE and column definitions as SQL."""

from __future__ import annotations

from collections.abc import Sequence

from driftflow.dialects.sqlite.keys import never_null, rowid_alias
from driftflow.dialects.sqlite.keywords import quote
from driftflow.dialects.sqlite.render.constraint import column_constraint, table_constraint
from driftflow.dialects.sqlite.tokens import Token, TokenFault, tokenize
from driftflow.model.catalog import Check, Column, Constraint, ForeignKey, NotNull, PrimaryKey, Table, Unique
from driftflow.model.names import Name

_BARE_WORDS = frozenset({"NULL", "TRUE", "FALSE", "CURRENT_TIME", "CURRENT_DATE", "CURRENT_TIMESTAMP"})


def quote_name(name: Name) -> str:
    """`main` goes without saying; another schema is said."""
    return f"{quote(name.schema)}.{quote(name.name)}" if name.schema not in {"", "main"} else quote(name.name)


def create_table(table: Table, *, if_not_exists: bool = False, name: Name | None = None) -> str:
    """The whole statement, one definition a line: SQLite keeps the text, and people read it in `.schema`."""
    exists = "IF NOT EXISTS " if if_not_exists else ""
    opening = "CREATE TEMP TABLE" if table.kind == "temporary" else "CREATE TABLE"
    shown = quote((name or table.name).name) if table.kind == "temporary" else quote_name(name or table.name)
    lines = ",\n".join(f"  {line}" for line in definitions(table))
    options = f" {', '.join(table.options)}" if table.options else ""
    return f"{opening} {exists}{shown} (\n{lines}\n){options}"


def create_virtual_table(table: Table, *, if_not_exists: bool = False) -> str:
    exists = "IF NOT EXISTS " if if_not_exists else ""
    arguments = f"({', '.join(table.options)})" if table.options else ""
    return f"CREATE VIRTUAL TABLE {exists}{quote_name(table.name)} USING {quote(table.access_method)}{arguments}"


def definitions(table: Table) -> list[str]:
    """Columns and constraints. A constraint stands behind its column where that changes nothing: not the order of keys, by which SQLite numbers
    the indexes that it makes for them."""
    inline = _inline(table)
    lines = [
        column_definition(
            column,
            tuple(constraint for constraint in inline if _home(constraint) == column.name),
            implied_not_null=never_null(table, column.name),
        )
        for column in table.columns
    ]
    behind = (constraint for constraint in table.constraints if not any(constraint is other for other in inline))
    return lines + [table_constraint(constraint) for constraint in behind]


def _inline(table: Table) -> list[Constraint]:
    position = {column.name: index for index, column in enumerate(table.columns)}
    found: list[Constraint] = []
    last_key, keys_fit = -1, True
    for constraint in table.constraints:
        home = _home(constraint)
        at = position.get(home, -1)
        if isinstance(constraint, (PrimaryKey, Unique)) and not _must_be_inline(constraint, table):
            keys_fit = keys_fit and at >= last_key and at >= 0 and not constraint.parts
            last_key = max(last_key, at)
            if keys_fit:
                found.append(constraint)
        elif at >= 0:
            found.append(constraint)
    return found


def _must_be_inline(constraint: Constraint, table: Table) -> bool:
    """The rowid itself, and INTEGER PRIMARY KEY DESC, which behind the columns would become the rowid."""
    if not isinstance(constraint, PrimaryKey) or len(constraint.columns) != 1:
        return False
    column = table.column(constraint.columns[0])
    collated = any(part.collation for part in constraint.parts)
    return column is not None and not collated and (bool(rowid_alias(table)) or column.type.upper() == "INTEGER")


def _home(constraint: Constraint) -> str:
    """The one column that the constraint could stand behind, or empty."""
    match constraint:
        case NotNull() | Check():
            return constraint.column
        case PrimaryKey() | Unique() | ForeignKey():
            return constraint.columns[0] if len(constraint.columns) == 1 else ""
        case _:
            return ""


def column_definition(column: Column, constraints: Sequence[Constraint] = (), *, implied_not_null: bool = False) -> str:
    """Name, type and everything behind it. Refuses nothing: what SQLite does not know was refused by the parser or by effects."""
    pieces = [quote(column.name)]
    if column.type:
        pieces.append(column.type)
    keys = [constraint for constraint in constraints if isinstance(constraint, (PrimaryKey, Unique))]
    others = [constraint for constraint in constraints if isinstance(constraint, (ForeignKey, Check))]
    not_null = [constraint for constraint in constraints if isinstance(constraint, NotNull)]
    pieces += [column_constraint(key, autoincrement=column.autoincrement and isinstance(key, PrimaryKey)) for key in keys]
    if column.collation:
        pieces.append(f"COLLATE {quote(column.collation)}")
    pieces += [column_constraint(constraint) for constraint in not_null]
    if not column.nullable and not not_null and not implied_not_null:
        pieces.append("NOT NULL")
    if column.default is not None:
        pieces.append(f"DEFAULT {default(column.default)}")
    if column.generated is not None:
        pieces.append(f"AS ({column.generated.expression}) {'STORED' if column.generated.stored else 'VIRTUAL'}")
    pieces += [column_constraint(constraint) for constraint in others]
    return " ".join(pieces)


def default(expression: str) -> str:
    """A literal stands bare; anything else needs parentheses."""
    return expression if is_literal(expression) else f"({expression})"


def is_literal(expression: str) -> bool:
    """What DEFAULT takes without parentheses: a literal, a signed number, or one of the keywords."""
    try:
        tokens, _ = tokenize(expression)
    except TokenFault:
        return False
    match tokens:
        case [Token(kind="string" | "number" | "blob")]:
            return True
        case [Token(kind="word", key=key)]:
            return key in _BARE_WORDS
        case [Token(key="-" | "+"), Token(kind="number")]:
            return True
        case _:
            return False
