"""Constraints as SQL, behind a column or behind all columns."""

from __future__ import annotations

from driftflow.dialects.sqlite.keywords import quote
from driftflow.model.catalog import Check, Constraint, Exclusion, ForeignKey, IndexPart, NotNull, PrimaryKey, Unique


def named(constraint: Constraint) -> str:
    return f"CONSTRAINT {quote(constraint.name)} " if constraint.name else ""


def conflict(action: str) -> str:
    return f" ON CONFLICT {action}" if action else ""


def name_list(names: tuple[str, ...]) -> str:
    return ", ".join(quote(name) for name in names)


def index_part(part: IndexPart) -> str:
    collation = f" COLLATE {quote(part.collation)}" if part.collation else ""
    direction = " DESC" if part.descending else ""
    return f"{quote(part.column) if part.column else _expression_part(part.expression)}{collation}{direction}"


def _expression_part(expression: str) -> str:
    """A call stands as it is; anything else in parentheses, since a trailing COLLATE or DESC would bind to its last word."""
    is_call = expression.endswith(")") and expression.split("(", 1)[0].isidentifier() and _one_pair(expression)
    return expression if is_call else f"({expression})"


def _one_pair(expression: str) -> bool:
    """Whether the first parenthesis closes only at the end. Quotes make it say no, which costs a pair of parentheses and nothing else."""
    if "'" in expression or '"' in expression:
        return False
    depth = 0
    for index, character in enumerate(expression):
        depth += (character == "(") - (character == ")")
        if character == ")" and depth == 0:
            return index == len(expression) - 1
    return False


def _key(parts: tuple[IndexPart, ...], columns: tuple[str, ...]) -> str:
    return ", ".join(index_part(part) for part in parts) if parts else name_list(columns)


def table_constraint(constraint: Constraint, *, autoincrement: bool = False) -> str:
    """As CREATE TABLE writes it behind the columns. Raises ValueError for kinds that SQLite does not have."""
    match constraint:
        case PrimaryKey():
            suffix = " AUTOINCREMENT" if autoincrement else ""
            key = _key(constraint.parts, constraint.columns)
            return f"{named(constraint)}PRIMARY KEY ({key}{suffix}){conflict(constraint.on_conflict)}"
        case Unique():
            return f"{named(constraint)}UNIQUE ({_key(constraint.parts, constraint.columns)}){conflict(constraint.on_conflict)}"
        case Check():
            return f"{named(constraint)}CHECK ({constraint.expression}){conflict(constraint.on_conflict)}"
        case ForeignKey():
            return f"{named(constraint)}FOREIGN KEY ({name_list(constraint.columns)}) {references(constraint)}"
        case NotNull() | Exclusion():
            raise ValueError(f"SQLite has no {type(constraint).__name__} as a constraint of the table")


def column_constraint(constraint: Constraint, *, autoincrement: bool = False) -> str:
    """The same behind its one column."""
    match constraint:
        case PrimaryKey():
            direction = " DESC" if any(part.descending for part in constraint.parts) else ""
            suffix = " AUTOINCREMENT" if autoincrement else ""
            return f"{named(constraint)}PRIMARY KEY{direction}{conflict(constraint.on_conflict)}{suffix}"
        case Unique():
            return f"{named(constraint)}UNIQUE{conflict(constraint.on_conflict)}"
        case Check():
            return f"{named(constraint)}CHECK ({constraint.expression}){conflict(constraint.on_conflict)}"
        case ForeignKey():
            return f"{named(constraint)}{references(constraint)}"
        case NotNull():
            return f"{named(constraint)}NOT NULL{conflict(constraint.on_conflict)}"
        case Exclusion():
            raise ValueError("SQLite has no exclusion constraints")


def references(key: ForeignKey) -> str:
    text = f"REFERENCES {quote(key.referenced.name)}"
    if key.referenced_columns:
        text += f" ({name_list(key.referenced_columns)})"
    if key.on_delete != "NO ACTION":
        text += f" ON DELETE {key.on_delete}"
    if key.on_update != "NO ACTION":
        text += f" ON UPDATE {key.on_update}"
    if key.match:
        text += f" MATCH {quote(key.match)}"
    if key.deferrable:
        text += " DEFERRABLE INITIALLY DEFERRED" if key.initially_deferred else " DEFERRABLE"
    return text
